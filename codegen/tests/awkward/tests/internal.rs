//! Generated client and dispatch of an internal service against each other.

#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

use std::cell::Cell;
use std::rc::Rc;

use awkward::awkward::internal::v1::{
    self, Internal, InternalClient, InternalEmpty, InternalEmptyClient, internal, internal_empty,
    result,
};
use awkward::awkward::v1 as public;
use connect::bytes::Bytes;
use connect::internal::{ObjectTransport, call};
use connect::wkt::Timestamp;
use connect::{Code, Error, Idempotency, Method};
use futures_executor::block_on;
use prost::Message as _;

/// Service that returns what it is sent, and counts its calls.
#[derive(Debug, Default)]
struct Object {
    calls: Cell<u32>,
}

impl Object {
    fn count<M>(&self, response: M) -> Result<M, Error> {
        self.calls.set(self.calls.get() + 1);
        Ok(response)
    }
}

impl Internal for Object {
    async fn clone(&self, request: v1::Rc) -> Result<v1::Result, Error> {
        let result = Some(result::Result::Ok(request.text));
        self.count(v1::Result {
            result,
            ..v1::Result::default()
        })
    }
    async fn dispatch(&self, request: v1::Bytes) -> Result<v1::Bytes, Error> {
        self.count(request)
    }
    async fn call(&self, request: v1::S) -> Result<v1::T, Error> {
        self.count(v1::T { s: Some(request) })
    }
    async fn r#try(&self, request: v1::T) -> Result<v1::S, Error> {
        let missing = || Error::not_found("no s").with_cause("kept for the log");
        self.count(request.s.ok_or_else(missing)?)
    }
    async fn name(&self, request: result::Err) -> Result<result::Err, Error> {
        self.count(request)
    }
    async fn outer(&self, request: public::Result) -> Result<public::Option, Error> {
        self.count(request.option.unwrap_or_default())
    }
    async fn now(&self, request: Timestamp) -> Result<Timestamp, Error> {
        self.count(request)
    }
    async fn old(&self, request: v1::S) -> Result<v1::S, Error> {
        self.count(request)
    }
}

impl InternalEmpty for Object {}

/// Transport to a service in this process, which counts the messages that it carries.
struct InMemory<S> {
    service: S,
    carried: Cell<u32>,
}

fn in_memory<S>(service: S) -> InMemory<S> {
    InMemory {
        service,
        carried: Cell::default(),
    }
}

impl<S: Internal> ObjectTransport for InMemory<S> {
    async fn call(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error> {
        assert_eq!(method.service, internal::NAME);
        self.carried.set(self.carried.get() + 1);
        internal::dispatch(&self.service, method.name, request).await
    }
}

/// Calls every method through the trait, whatever implements it.
#[allow(deprecated, reason = "deprecated RPCs still work")]
async fn call_all(service: &impl Internal) {
    let text = "t".to_owned();
    let cloned = service.clone(v1::Rc { text: text.clone() }).await.unwrap();
    assert_eq!(cloned.result, Some(result::Result::Ok(text)));

    let bytes = v1::Bytes {
        bytes: vec![0, 255].into(),
        outer: public::Kind::Self_.into(),
    };
    assert_eq!(service.dispatch(bytes.clone()).await.unwrap(), bytes);

    let s = v1::S { number: -1 };
    let t = v1::T { s: Some(s) };
    assert_eq!(service.call(s).await.unwrap(), t);
    assert_eq!(service.r#try(t).await.unwrap(), s);
    assert_eq!(service.old(s).await.unwrap(), s);

    let error = service.r#try(v1::T::default()).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::NotFound, "no s"));

    let err = result::Err {
        kind: v1::Kind::Self_.into(),
    };
    assert_eq!(service.name(err).await.unwrap(), err);
    let option = public::Option::default();
    let outer = public::Result {
        option: Some(option.clone()),
    };
    assert_eq!(service.outer(outer).await.unwrap(), option);
    let now = Timestamp {
        seconds: 1,
        nanos: 2,
    };
    assert_eq!(service.now(now).await.unwrap(), now);
}

#[test]
fn client_calls_every_method_over_a_transport() {
    let client = InternalClient(in_memory(Object::default()));
    block_on(call_all(&client));
    assert_eq!(client.0.carried.get(), 9);
}

#[test]
fn rc_of_a_service_is_a_service() {
    let object = Rc::new(Object::default());
    block_on(call_all(&object));
    assert_eq!(object.calls.get(), 8);

    let client = InternalClient(in_memory(Clone::clone(&object)));
    block_on(call_all(&Rc::new(client)));
    assert_eq!(object.calls.get(), 16);
}

#[test]
fn unknown_method_is_unimplemented() {
    let object = Object::default();
    for method in [
        "",
        "Missing",
        "clone",
        "/awkward.internal.v1.Internal/Clone",
    ] {
        let response = block_on(internal::dispatch(&object, method, Bytes::new()));
        assert_eq!(response.unwrap_err().code(), Code::Unimplemented);
        let response = block_on(internal_empty::dispatch(&object, method, Bytes::new()));
        assert_eq!(response.unwrap_err().code(), Code::Unimplemented);
    }
    assert_eq!(object.calls.get(), 0);
}

#[test]
fn unknown_fields_of_a_newer_version_are_ignored() {
    let newer = v1::BytesOfNextVersion {
        bytes: vec![7],
        size: 1,
    };
    let known = v1::Bytes {
        bytes: vec![7].into(),
        ..v1::Bytes::default()
    };
    let object = Object::default();

    // A newer client calls this service.
    let request = newer.encode_to_vec().into();
    let response = block_on(internal::dispatch(&object, "Dispatch", request)).unwrap();
    assert_eq!(response, known.encode_to_vec());

    // This client calls a newer service.
    let client = InternalClient(NewerService(newer));
    let response = block_on(client.dispatch(v1::Bytes::default())).unwrap();
    assert_eq!(response, known);
}

/// Transport to a service whose responses have more fields.
struct NewerService(v1::BytesOfNextVersion);

impl ObjectTransport for NewerService {
    async fn call(&self, _: &'static Method, _: Bytes) -> Result<Bytes, Error> {
        Ok(self.0.encode_to_vec().into())
    }
}

#[test]
fn request_that_cannot_be_decoded_does_not_reach_the_service() {
    let object = Object::default();
    let response = block_on(internal::dispatch(
        &object,
        "Now",
        b"\xff".as_slice().into(),
    ));
    assert_eq!(response.unwrap_err().code(), Code::Internal);
    assert_eq!(object.calls.get(), 0);
}

#[test]
fn method_table_matches_the_proto() {
    assert_eq!(internal::NAME, "awkward.internal.v1.Internal");
    assert_eq!(internal_empty::NAME, "awkward.internal.v1.InternalEmpty");
    assert_eq!(internal_empty::METHODS.len(), 0);
    let described: Vec<_> = internal::METHODS
        .iter()
        .filter(|method| method.deprecated || method.idempotency != Idempotency::Unknown)
        .map(|method| (method.path, method.idempotency, method.deprecated))
        .collect();
    assert_eq!(
        described,
        [
            (
                "/awkward.internal.v1.Internal/Now",
                Idempotency::NoSideEffects,
                false
            ),
            (
                "/awkward.internal.v1.Internal/Old",
                Idempotency::Idempotent,
                true
            ),
        ]
    );
}

/// A transport can be used without the generated client, for a call that is built elsewhere.
#[test]
fn methods_can_be_called_by_their_table_entry() {
    let transport = in_memory(Object::default());
    let s = v1::S { number: 1 };
    let response: v1::T = block_on(call(&transport, &internal::methods::CALL, &s)).unwrap();
    assert_eq!(response.s, Some(s));
    let _ = InternalEmptyClient(transport);
}

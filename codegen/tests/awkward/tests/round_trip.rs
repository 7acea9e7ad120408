//! Round trips through generated clients, routers and codecs.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed assumption fails the test"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use awkward::awkward::v1::{
    self, Kind, Outer, Prelude, PreludeClient, PreludeEmpty, generated_visitor, outer, prelude,
    prelude_empty,
};
use awkward::no_package::{
    Greeting, GreetingService, GreetingServiceClient, Mood, TYPES, greeting, greeting_service,
};
use awkward::r#type::r#async::v1::{Enum, Impl, ImplClient, Match, Struct, r#impl, r#match};
use connect::testing::{Loopback, TestRuntime};
use connect::wkt::Timestamp;
use connect::{
    CallOptions, Client, Code, Codec, Context, Error, Idempotency, Limits, Response, Server,
};
use futures_executor::block_on;

const LIMITS: Limits = Limits {
    max_message_bytes: 10_000,
    max_timeout: Duration::from_secs(1),
    gzip_from_bytes: None,
};

struct Handlers;

/// Result of a handler.
type Handled<M> = Result<Response<M>, Error>;

fn empty<M: Default>() -> Handled<M> {
    Ok(M::default().into())
}

impl Prelude for Handlers {
    async fn result(&self, _: &Context, request: v1::Result) -> Handled<v1::Option> {
        Ok(request.option.unwrap_or_default().into())
    }
    async fn option(&self, _: &Context, request: v1::Option) -> Handled<v1::Result> {
        let option = Some(request);
        Ok(v1::Result { option }.into())
    }
    async fn clone(&self, _: &Context, _: v1::String) -> Handled<v1::Vec> {
        empty()
    }
    async fn default(&self, _: &Context, _: v1::Default) -> Handled<v1::Box> {
        empty()
    }
    async fn from(&self, _: &Context, request: v1::Error) -> Handled<v1::Response> {
        let response = Some(v1::response::Response::Error(request));
        Ok(v1::Response { response }.into())
    }
    async fn unary(&self, _: &Context, _: v1::Context) -> Handled<v1::Client> {
        empty()
    }
    async fn route(&self, _: &Context, _: v1::Server) -> Handled<v1::Method> {
        empty()
    }
    async fn new(&self, _: &Context, _: v1::Ok) -> Handled<v1::Err> {
        empty()
    }
    async fn drop(&self, _: &Context, _: v1::Some) -> Handled<v1::None> {
        empty()
    }
    async fn methods(&self, _: &Context, request: v1::Self_) -> Handled<v1::Self_> {
        Ok(request.into())
    }
    async fn name(&self, _: &Context, _: outer::Nested) -> Handled<outer::nested::Deeper> {
        empty()
    }
    async fn now(&self, _: &Context, request: Timestamp) -> Handled<Timestamp> {
        Ok(request.into())
    }
    async fn old(&self, _: &Context, request: v1::String) -> Handled<v1::String> {
        Ok(request.into())
    }
    async fn read(&self, _: &Context, request: v1::String) -> Handled<v1::String> {
        Ok(request.into())
    }
    async fn put(&self, cx: &Context, _: v1::String) -> Handled<v1::String> {
        Err(Error::unavailable(cx.method().path))
    }
    async fn parameters(&self, _: &Context, request: v1::S) -> Handled<v1::T> {
        let v = request.d.and_then(|d| d.v).unwrap_or_default();
        let e = v.one();
        let visitor = Some(v1::GeneratedVisitor {
            e: Some(generated_visitor::E::V(v)),
        });
        Ok(v1::T {
            visitor,
            e: e.into(),
        }
        .into())
    }
}

impl PreludeEmpty for Handlers {}

impl Impl for Handlers {
    async fn r#await(&self, _: &Context, request: Match) -> Handled<Match> {
        Ok(request.into())
    }
    async fn r#move(&self, _: &Context, _: Match) -> Handled<v1::Result> {
        empty()
    }
    async fn r#loop(&self, _: &Context, request: Struct) -> Handled<Struct> {
        Ok(request.into())
    }
    async fn r#try(&self, _: &Context, request: Struct) -> Handled<Struct> {
        Ok(request.into())
    }
}

impl GreetingService for Handlers {
    async fn greet(&self, _: &Context, request: Greeting) -> Handled<greeting::Reply> {
        Ok(greeting::Reply { to: Some(request) }.into())
    }
}

/// Runs a test with a client of each codec. Its requests go to the handlers.
macro_rules! with_clients {
    ($route:path, $client:ident, |$name:ident| $test:expr) => {
        for codec in [Codec::Proto, Codec::Json] {
            let runtime = TestRuntime::default();
            let server = Server::new(runtime.clone(), LIMITS);
            let serve = async |request| Ok($route(&Handlers, &server, request).await);
            let transport = Loopback {
                runtime: runtime.clone(),
                serve,
            };
            let $name = $client(Client::new(transport, "http://test", codec, 10_000));
            block_on(async { $test });
        }
    };
}

fn call() -> CallOptions {
    CallOptions::default()
}

#[test]
fn every_kind_of_field_survives_a_round_trip() {
    with_clients!(prelude::route, PreludeClient, |client| {
        let vec = v1::Vec {
            vec: vec![i64::MIN, 0, i64::MAX],
            kinds: vec![Kind::Self_.into(), Kind::None.into()],
            bytes: vec![0, 62, 63, 255].into(),
        };
        let option = v1::Option { values: vec![vec] };
        let result = client.option(&option, call()).await.unwrap().message;
        let back = client.result(&result, call()).await.unwrap().message;
        assert_eq!(back, option);

        let mut error = v1::Error {
            bytes: BTreeMap::from([(-1, vec![1].into()), (2, vec![].into())]),
            kinds: BTreeMap::from([(true, Kind::Self_.into()), (false, 0)]),
            ..v1::Error::default()
        };
        error.errors = BTreeMap::from([("in \"it\"".to_owned(), error.clone())]);
        let back = client.from(&error, call()).await.unwrap().message;
        assert_eq!(back.response, Some(v1::response::Response::Error(error)));

        let own = v1::Self_ {
            self_: "a".to_owned(),
            super_: "b".to_owned(),
            crate_: "c".to_owned(),
        };
        assert_eq!(client.methods(&own, call()).await.unwrap().message, own);
        let now = Timestamp {
            seconds: 1,
            nanos: 2,
        };
        assert_eq!(client.now(&now, call()).await.unwrap().message, now);
    });
}

#[test]
fn messages_named_like_type_parameters_survive_a_round_trip() {
    with_clients!(prelude::route, PreludeClient, |client| {
        let v = v1::V {
            e: vec![v1::E::One.into(), 0],
            one: Some(v1::E::One.into()),
            by_name: BTreeMap::from([("e".to_owned(), v1::E::One.into())]),
            field: Some(v1::GeneratedField { number: 1 }),
            // Values of a newer version, which an enum keeps.
            number: 2,
            bytes: vec![0, 3],
        };
        let d = Some(v1::D { v: Some(v.clone()) });
        let response = client.parameters(&v1::S { d }, call()).await.unwrap();
        assert_eq!(response.message.e(), v1::E::One);
        let visitor = response.message.visitor.unwrap();
        assert_eq!(visitor.e, Some(generated_visitor::E::V(v)));
    });
}

#[test]
fn keywords_survive_a_round_trip() {
    with_clients!(r#impl::route, ImplClient, |client| {
        let inner = Struct {
            r#enum: Enum::Type.into(),
            r#gen: vec![Enum::Unknown.into(), Enum::Type.into()],
        };
        assert_eq!(client.r#loop(&inner, call()).await.unwrap().message, inner);
        let all = Match {
            r#match: "m".to_owned(),
            r#type: -1,
            r#fn: true,
            r#where: vec!["w".to_owned()],
            r#use: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
            r#mod: Some(r#match::Mod::Dyn(inner)),
        };
        assert_eq!(client.r#await(&all, call()).await.unwrap().message, all);
    });
}

#[test]
fn names_without_a_package_have_none_on_the_wire() {
    assert_eq!(greeting_service::NAME, "GreetingService");
    assert_eq!(
        greeting_service::methods::GREET.path,
        "/GreetingService/Greet"
    );
    let names: Vec<_> = TYPES.iter().map(|each| each.name()).collect();
    assert_eq!(names, ["Greeting", "Greeting.Reply"]);
    with_clients!(greeting_service::route, GreetingServiceClient, |client| {
        let mut greeting = Greeting {
            name: "n".to_owned(),
            mood: Mood::Good.into(),
            ..Greeting::default()
        };
        greeting.others = BTreeMap::from([("o".to_owned(), greeting.clone())]);
        let response = client.greet(&greeting, call()).await.unwrap().message;
        assert_eq!(response.to, Some(greeting));
    });
}

#[test]
#[allow(deprecated, reason = "deprecated methods still work")]
fn every_method_is_routed() {
    with_clients!(prelude::route, PreludeClient, |client| {
        let text = v1::String {
            string: "s".to_owned(),
        };
        assert_eq!(client.old(&text, call()).await.unwrap().message, text);
        assert_eq!(client.read(&text, call()).await.unwrap().message, text);
        let error = client.put(&text, call()).await.unwrap_err();
        assert_eq!(
            (error.code(), error.message()),
            (Code::Unavailable, "/awkward.v1.Prelude/Put")
        );
        client.clone(&text, call()).await.unwrap();
        client
            .default(
                &v1::Default {
                    default: None,
                    kind: None,
                },
                call(),
            )
            .await
            .unwrap();
        client.unary(&v1::Context::default(), call()).await.unwrap();
        client.route(&v1::Server::default(), call()).await.unwrap();
        client.new(&v1::Ok {}, call()).await.unwrap();
        client.drop(&v1::Some {}, call()).await.unwrap();
        client.name(&outer::Nested {}, call()).await.unwrap();
    });
    with_clients!(prelude_empty::route, PreludeClient, |client| {
        let error = client
            .route(&v1::Server::default(), call())
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented);
    });
    with_clients!(r#impl::route, ImplClient, |client| {
        client.r#move(&Match::default(), call()).await.unwrap();
        client.r#try(&Struct::default(), call()).await.unwrap();
    });
}

#[test]
fn method_table_matches_the_proto() {
    assert_eq!(prelude::NAME, "awkward.v1.Prelude");
    assert_eq!(prelude_empty::METHODS.len(), 0);
    let described: Vec<_> = prelude::METHODS
        .iter()
        .filter(|method| method.deprecated || method.idempotency != Idempotency::Unknown)
        .map(|method| (method.name, method.idempotency, method.deprecated))
        .collect();
    assert_eq!(
        described,
        [
            ("Old", Idempotency::Unknown, true),
            ("Read", Idempotency::NoSideEffects, false),
            ("Put", Idempotency::Idempotent, false),
        ]
    );
    for method in r#impl::METHODS {
        assert_eq!(method.path, format!("/type.async.v1.Impl/{}", method.name));
        assert_eq!(method.service, "type.async.v1.Impl");
    }
    // A message without fields or nested messages.
    assert_eq!(Outer {}, Outer::default());
}

//! Generated client, router and codecs against each other.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it cannot go on"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use awkward::awkward::v1::{
    self, Kind, Outer, Prelude, PreludeClient, PreludeEmpty, outer, prelude, prelude_empty,
};
use awkward::no_package::{Greeting, Homeless, HomelessClient, Mood, TYPES, greeting, homeless};
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

/// An answer of which only the type matters.
type Answer<M> = Result<Response<M>, Error>;

fn empty<M: Default>() -> Answer<M> {
    Ok(M::default().into())
}

impl Prelude for Handlers {
    async fn result(&self, _: &Context, request: v1::Result) -> Answer<v1::Option> {
        Ok(request.option.unwrap_or_default().into())
    }
    async fn option(&self, _: &Context, request: v1::Option) -> Answer<v1::Result> {
        let option = Some(request);
        Ok(v1::Result { option }.into())
    }
    async fn clone(&self, _: &Context, _: v1::String) -> Answer<v1::Vec> {
        empty()
    }
    async fn default(&self, _: &Context, _: v1::Default) -> Answer<v1::Box> {
        empty()
    }
    async fn from(&self, _: &Context, request: v1::Error) -> Answer<v1::Response> {
        let response = Some(v1::response::Response::Error(request));
        Ok(v1::Response { response }.into())
    }
    async fn unary(&self, _: &Context, _: v1::Context) -> Answer<v1::Client> {
        empty()
    }
    async fn route(&self, _: &Context, _: v1::Server) -> Answer<v1::Method> {
        empty()
    }
    async fn new(&self, _: &Context, _: v1::Ok) -> Answer<v1::Err> {
        empty()
    }
    async fn drop(&self, _: &Context, _: v1::Some) -> Answer<v1::None> {
        empty()
    }
    async fn methods(&self, _: &Context, request: v1::Self_) -> Answer<v1::Self_> {
        Ok(request.into())
    }
    async fn name(&self, _: &Context, _: outer::Nested) -> Answer<outer::nested::Deeper> {
        empty()
    }
    async fn now(&self, _: &Context, request: Timestamp) -> Answer<Timestamp> {
        Ok(request.into())
    }
    async fn old(&self, _: &Context, request: v1::String) -> Answer<v1::String> {
        Ok(request.into())
    }
    async fn read(&self, _: &Context, request: v1::String) -> Answer<v1::String> {
        Ok(request.into())
    }
    async fn put(&self, cx: &Context, _: v1::String) -> Answer<v1::String> {
        Err(Error::unavailable(cx.method().path))
    }
}

impl PreludeEmpty for Handlers {}

impl Impl for Handlers {
    async fn r#await(&self, _: &Context, request: Match) -> Answer<Match> {
        Ok(request.into())
    }
    async fn r#move(&self, _: &Context, _: Match) -> Answer<v1::Result> {
        empty()
    }
    async fn r#loop(&self, _: &Context, request: Struct) -> Answer<Struct> {
        Ok(request.into())
    }
    async fn r#try(&self, _: &Context, request: Struct) -> Answer<Struct> {
        Ok(request.into())
    }
}

impl Homeless for Handlers {
    async fn greet(&self, _: &Context, request: Greeting) -> Answer<greeting::Answer> {
        Ok(greeting::Answer { to: Some(request) }.into())
    }
}

/// Runs a test with a client of each codec whose requests go to the handlers.
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
fn every_kind_of_field_comes_back() {
    with_clients!(prelude::route, PreludeClient, |client| {
        let vec = v1::Vec {
            vec: vec![i64::MIN, 0, i64::MAX],
            kinds: vec![Kind::Self_.into(), Kind::None.into()],
            bytes: vec![0, 62, 63, 255],
        };
        let option = v1::Option { values: vec![vec] };
        let result = client.option(&option, call()).await.unwrap().message;
        let back = client.result(&result, call()).await.unwrap().message;
        assert_eq!(back, option);

        let mut error = v1::Error {
            bytes: BTreeMap::from([(-1, vec![1]), (2, vec![])]),
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
fn keywords_come_back() {
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
fn what_has_no_package_has_none_on_the_wire() {
    assert_eq!(homeless::NAME, "Homeless");
    assert_eq!(homeless::methods::GREET.path, "/Homeless/Greet");
    let names: Vec<_> = TYPES.iter().map(|each| each.name()).collect();
    assert_eq!(names, ["Greeting", "Greeting.Answer"]);
    with_clients!(homeless::route, HomelessClient, |client| {
        let mut greeting = Greeting {
            name: "n".to_owned(),
            mood: Mood::Good.into(),
            ..Greeting::default()
        };
        greeting.others = BTreeMap::from([("o".to_owned(), greeting.clone())]);
        let answer = client.greet(&greeting, call()).await.unwrap().message;
        assert_eq!(answer.to, Some(greeting));
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
fn the_table_of_methods_is_that_of_the_proto() {
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
    // A message with nothing in it is one as well.
    assert_eq!(Outer {}, Outer::default());
}

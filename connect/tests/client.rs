//! The client against the server, and against responses of other servers.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed assertion ends a test"
)]

use std::cell::RefCell;
use std::time::Duration;

use bytes::Bytes;
use connect::testing::{Loopback, TestRuntime};
use connect::wkt::Timestamp;
use connect::{
    CallOptions, Client, Code, Codec, Context, Error, Idempotency, Limits, Method, Response, Server,
};
use futures_executor::block_on;
use http::{HeaderValue, StatusCode};

static METHOD: Method = Method {
    path: "/test.v1.Clock/Set",
    service: "test.v1.Clock",
    name: "Set",
    idempotency: Idempotency::Unknown,
    deprecated: false,
};

const MOMENT: Timestamp = Timestamp {
    seconds: 1_767_323_045,
    nanos: 6,
};

/// Calls a server with that handler.
fn call_server(
    codec: Codec,
    options: CallOptions,
    handler: &impl AsyncFn(&Context, Timestamp) -> Result<Response<Timestamp>, Error>,
) -> Result<Response<Timestamp>, Error> {
    let runtime = TestRuntime::default();
    let limits = Limits {
        max_message_bytes: 1_000,
        max_timeout: Duration::from_secs(30),
        gzip_from_bytes: Some(0),
    };
    let server = Server::new(runtime.clone(), limits);
    let serve = async |request| Ok(server.unary(&METHOD, request, handler).await);
    let transport = Loopback {
        runtime: runtime.clone(),
        serve,
    };
    let client = Client::new(transport, "http://test", codec, 1_000);
    block_on(client.unary(&METHOD, &MOMENT, options))
}

/// Calls a server that has the same response for every request.
fn call_stub(
    status: StatusCode,
    content_type: &'static str,
    body: &'static str,
) -> Result<Response<Timestamp>, Error> {
    let runtime = TestRuntime::default();
    let serve = async |_| {
        let mut response = http::Response::new(Bytes::from(body));
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert("content-type", HeaderValue::from_static(content_type));
        Ok(response)
    };
    let client = Client::new(
        Loopback {
            runtime: runtime.clone(),
            serve,
        },
        "http://test",
        Codec::Json,
        10,
    );
    block_on(client.unary(&METHOD, &MOMENT, CallOptions::default()))
}

#[test]
fn call_round_trips_in_both_codecs_with_and_without_gzip() {
    for codec in [Codec::Proto, Codec::Json] {
        for gzip in [false, true] {
            let options = CallOptions {
                gzip,
                timeout: Some(Duration::from_millis(1_500)),
                ..CallOptions::default()
            };
            let response = call_server(codec, options, &async |cx: &Context, message| {
                assert_eq!(cx.headers()["connect-protocol-version"], "1");
                assert_eq!(cx.headers()["connect-timeout-ms"], "1500");
                Ok(Response::from(message))
            });
            assert_eq!(response.unwrap().message, MOMENT);
        }
    }
}

#[test]
fn metadata_and_errors_round_trip() {
    let mut options = CallOptions::default();
    options
        .headers
        .insert("x-sent", HeaderValue::from_static("1"));
    let error = call_server(Codec::Proto, options, &async |cx: &Context, _| {
        let sent = cx.headers()["x-sent"].clone();
        let mut error = Error::not_found("missing").with_detail("a.B", vec![1, 2]);
        error.headers_mut().insert("x-back", sent.clone());
        error.trailers_mut().insert("x-last", sent);
        Err(error)
    })
    .unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::NotFound, "missing"));
    assert_eq!(error.details()[0].value.as_ref(), [1, 2]);
    assert_eq!(error.headers()["x-back"], "1");
    assert_eq!(error.trailers()["x-last"], "1");
}

#[test]
fn response_without_a_connect_error_has_the_code_of_its_status() {
    for (status, code) in [
        (StatusCode::NOT_FOUND, Code::Unimplemented),
        (StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable),
        (StatusCode::TOO_MANY_REQUESTS, Code::Unavailable),
        (StatusCode::UNAUTHORIZED, Code::Unauthenticated),
        (StatusCode::IM_A_TEAPOT, Code::Unknown),
    ] {
        let error = call_stub(status, "text/html", "<html>").unwrap_err();
        assert_eq!(error.code(), code, "{status}");
    }
    let error = call_stub(StatusCode::OK, "text/html", "<html>").unwrap_err();
    assert_eq!(error.code(), Code::Unknown);
    let error = call_stub(StatusCode::OK, "application/json", "\"soon\"").unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    let error = call_stub(
        StatusCode::OK,
        "application/json",
        "\"2026-01-02T03:04:05Z\"",
    )
    .unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
}

#[test]
fn call_ends_at_its_timeout() {
    let runtime = TestRuntime::default();
    runtime.fire_timers(true);
    let sent = RefCell::new(None);
    let serve = async |request: http::Request<Bytes>| {
        *sent.borrow_mut() = Some(request);
        std::future::pending().await
    };
    let client = Client::new(
        Loopback {
            runtime: runtime.clone(),
            serve,
        },
        "http://test",
        Codec::Proto,
        10,
    );
    let options = CallOptions {
        timeout: Some(Duration::from_secs(2)),
        ..CallOptions::default()
    };
    let response: Result<Response<Timestamp>, _> =
        block_on(client.unary(&METHOD, &MOMENT, options));
    assert_eq!(response.unwrap_err().code(), Code::DeadlineExceeded);
    let sent = sent.borrow();
    let sent = sent.as_ref().unwrap();
    assert_eq!(sent.uri(), "http://test/test.v1.Clock/Set");
    assert_eq!(sent.headers()["connect-timeout-ms"], "2000");
}

//! The context and the deadline of a handler.

use connect::testing::TestRuntime;
use connect::wkt::Timestamp;
use connect::{Context, Response};
use connect::{Peer, UnixMillis};
use http::StatusCode;
use std::net::IpAddr;
use std::time::Duration;

use crate::support::*;

#[test]
fn context_has_headers_peer_and_deadline() {
    let runtime = TestRuntime::default();
    runtime.set_now(UnixMillis::from_millis(5_000));
    let client = IpAddr::from([192, 0, 2, 1]);
    let mut request = request(
        MOMENT,
        &[
            JSON,
            ("x-a", "1"),
            ("x-a", "2"),
            ("connect-timeout-ms", "250"),
        ],
    );
    request.extensions_mut().insert(Peer(client));
    let response = call(
        &runtime,
        &WRITE,
        request,
        async |cx: &Context, message: Timestamp| {
            assert_eq!(cx.method().path, WRITE.path);
            assert_eq!(
                cx.headers().get_all("x-a").iter().collect::<Vec<_>>(),
                ["1", "2"]
            );
            assert_eq!(cx.peer(), Some(client));
            let left = cx
                .deadline()
                .unwrap()
                .remaining(UnixMillis::from_millis(5_100));
            assert_eq!(left, Duration::from_millis(150));
            Ok(Response::from(message))
        },
    );
    assert_eq!(response.http.status(), StatusCode::OK);
}

#[test]
fn long_timeout_is_shortened_and_a_missing_one_sets_no_timer() {
    let runtime = TestRuntime::default();
    let long = request(MOMENT, &[JSON, ("connect-timeout-ms", "9999999999")]);
    call(
        &runtime,
        &WRITE,
        long,
        async |cx: &Context, message: Timestamp| {
            assert_eq!(
                cx.deadline().unwrap().remaining(UnixMillis::EPOCH),
                LIMITS.max_timeout
            );
            Ok(Response::from(message))
        },
    );
    runtime.fire_timers(true);
    let none = call(
        &runtime,
        &WRITE,
        request(MOMENT, &[JSON]),
        async |cx: &Context, message: Timestamp| {
            assert!(cx.deadline().is_none());
            Ok(Response::from(message))
        },
    );
    assert_eq!(none.http.status(), StatusCode::OK);
}

#[test]
fn handler_is_cancelled_at_its_deadline() {
    let runtime = TestRuntime::default();
    runtime.fire_timers(true);
    let slow = request(MOMENT, &[JSON, ("connect-timeout-ms", "250")]);
    let response = call::<Timestamp>(&runtime, &WRITE, slow, async |_: &Context, _| {
        std::future::pending().await
    });
    assert_eq!(response.http.status(), StatusCode::GATEWAY_TIMEOUT);
    assert!(
        response.body().contains(r#""code":"deadline_exceeded""#),
        "{}",
        response.body()
    );
}

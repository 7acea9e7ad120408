//! What a handler learns, and how long it may take.

use connect::testing::TestRuntime;
use connect::wkt::Timestamp;
use connect::{Context, Response};
use connect::{Peer, UnixMillis};
use http::StatusCode;
use std::net::IpAddr;
use std::time::Duration;

use crate::support::*;

#[test]
fn the_handler_learns_of_headers_peer_and_deadline() {
    let runtime = TestRuntime::default();
    runtime.set_now(UnixMillis::from_millis(5_000));
    let caller = IpAddr::from([192, 0, 2, 1]);
    let mut request = request(
        MOMENT,
        &[
            JSON,
            ("x-a", "1"),
            ("x-a", "2"),
            ("connect-timeout-ms", "250"),
        ],
    );
    request.extensions_mut().insert(Peer(caller));
    let answer = call(
        &runtime,
        &WRITE,
        request,
        async |cx: &Context, message: Timestamp| {
            assert_eq!(cx.method().path, WRITE.path);
            assert_eq!(
                cx.headers().get_all("x-a").iter().collect::<Vec<_>>(),
                ["1", "2"]
            );
            assert_eq!(cx.peer(), Some(caller));
            let left = cx
                .deadline()
                .unwrap()
                .remaining(UnixMillis::from_millis(5_100));
            assert_eq!(left, Duration::from_millis(150));
            Ok(Response::from(message))
        },
    );
    assert_eq!(answer.http.status(), StatusCode::OK);
}

#[test]
fn a_long_deadline_is_cut_and_none_needs_no_timer() {
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
fn a_handler_that_is_late_is_not_waited_for() {
    let runtime = TestRuntime::default();
    runtime.fire_timers(true);
    let slow = request(MOMENT, &[JSON, ("connect-timeout-ms", "250")]);
    let answer = call::<Timestamp>(&runtime, &WRITE, slow, async |_: &Context, _| {
        std::future::pending().await
    });
    assert_eq!(answer.http.status(), StatusCode::GATEWAY_TIMEOUT);
    assert!(
        answer.body().contains(r#""code":"deadline_exceeded""#),
        "{}",
        answer.body()
    );
}

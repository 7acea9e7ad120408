//! The checks of a request.

use connect::testing::TestRuntime;
use connect::wkt::Timestamp;
use http::StatusCode;

use crate::support::*;

#[test]
fn response_has_the_codec_of_the_request() {
    let runtime = TestRuntime::default();
    let json = call(&runtime, &WRITE, request(MOMENT, &[JSON]), echo);
    assert_eq!(json.http.status(), StatusCode::OK);
    assert_eq!(
        (json.header("content-type"), json.body()),
        ("application/json", MOMENT)
    );
    let proto = call(&runtime, &WRITE, request("\x08\x01", &[PROTO]), echo);
    assert_eq!(
        (proto.header("content-type"), proto.body()),
        ("application/proto", "\x08\x01")
    );
    let info = proto.info();
    assert_eq!(info.method.unwrap().name, "Set");
    assert!(info.code.is_none() && info.cause.is_none());
}

/// Each step corrects the mistake of the step before, so that the next check fails.
#[test]
fn checks_have_the_order_of_connect_go() {
    let runtime = TestRuntime::default();
    let wrong = [
        ("content-encoding", "br"),
        ("connect-protocol-version", "2"),
        ("connect-timeout-ms", "soon"),
        ("content-length", "1000"),
    ];
    let mut get = request("{", &[]);
    *get.method_mut() = http::Method::GET;
    let verb = call(&runtime, &WRITE, get, never);
    assert_eq!(verb.http.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(
        (verb.header("allow"), verb.body(), verb.body_usage),
        ("POST", "", "discarded")
    );

    let codec = call(&runtime, &WRITE, request("{", &wrong), never);
    assert_eq!(codec.http.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(
        codec.header("accept-post"),
        "application/json, application/proto"
    );
    assert_eq!((codec.body(), codec.body_usage), ("", "discarded"));

    for (corrected, status, text, body_usage) in [
        (0, 501, "unknown compression", "discarded"),
        (1, 400, "Connect-Protocol-Version", "discarded"),
        (2, 400, "Connect-Timeout-Ms", "discarded"),
        (3, 429, "100", "discarded"),
        (4, 400, "unmarshal message", "read"),
    ] {
        let headers = [&[JSON], &wrong[corrected..]].concat();
        let response = call(&runtime, &WRITE, request("{", &headers), never);
        assert_eq!(
            response.http.status().as_u16(),
            status,
            "{}",
            response.body()
        );
        assert!(response.body().contains(text), "{}", response.body());
        assert_eq!(
            (response.header("content-type"), response.body_usage),
            ("application/json", body_usage)
        );
    }
}

#[test]
fn message_size_is_limited_as_sent_and_as_decompressed() {
    let runtime = TestRuntime::default();
    let blanks = concat!(
        "                                                  ",
        "\"                       ",
        "                                                          \""
    );
    let plain = call(&runtime, &WRITE, request(blanks, &[JSON]), never);
    assert_eq!(plain.http.status().as_u16(), 429, "{}", plain.body());

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut gzip, blanks.as_bytes()).unwrap();
    let small = gzip.finish().unwrap();
    assert!(small.len() < LIMITS.max_message_bytes);
    let mut bomb = request("", &[JSON, ("content-encoding", "gzip")]);
    *bomb.body_mut() = &small;
    let bomb = call(&runtime, &WRITE, bomb, never);
    assert_eq!(bomb.http.status().as_u16(), 429, "{}", bomb.body());
}

/// Also on platforms with lengths of 32 bits.
#[test]
fn length_that_is_too_large_or_no_number_is_rejected() {
    let runtime = TestRuntime::default();
    for length in ["101", "4294967296", "99999999999999999999999", "-1", "much"] {
        let request = request("{}", &[JSON, ("content-length", length)]);
        let response = call::<Timestamp>(&runtime, &WRITE, request, never);
        assert_eq!(response.http.status().as_u16(), 429, "{length}");
        assert_eq!(response.body_usage, "discarded", "{length}");
    }
}

//! The responses of a server.

use bytes::Bytes;
use connect::Server;
use connect::testing::TestRuntime;
use connect::wkt::Timestamp;
use connect::{Context, Error, Response};
use futures_executor::block_on;
use http::{HeaderValue, Request, StatusCode};

use crate::support::*;

#[test]
fn success_and_error_have_metadata() {
    let runtime = TestRuntime::default();
    let fill = |headers: &mut http::HeaderMap, trailers: &mut http::HeaderMap| {
        headers.append("x-h", HeaderValue::from_static("1"));
        headers.append("x-h", HeaderValue::from_static("2"));
        trailers.append("x-t", HeaderValue::from_static("3"));
    };
    let success = call(
        &runtime,
        &WRITE,
        request(MOMENT, &[JSON]),
        async |_: &Context, message: Timestamp| {
            let mut response = Response::from(message);
            fill(&mut response.headers, &mut response.trailers);
            Ok(response)
        },
    );
    let failure = call(&runtime, &WRITE, request(MOMENT, &[PROTO]), never);
    assert_eq!(failure.http.status(), StatusCode::BAD_REQUEST);
    let failure = call(
        &runtime,
        &WRITE,
        request("", &[PROTO]),
        async |_: &Context, _: Timestamp| {
            let mut error = Error::aborted("no").with_cause("secret");
            fill(error.headers_mut(), &mut http::HeaderMap::new());
            fill(&mut http::HeaderMap::new(), error.trailers_mut());
            Err(error)
        },
    );
    for response in [&success, &failure] {
        let repeated: Vec<_> = response.http.headers().get_all("x-h").iter().collect();
        assert_eq!(repeated, ["1", "2"]);
        assert_eq!(response.header("trailer-x-t"), "3");
    }
    // Errors are JSON with either codec, and their cause is for the log.
    assert_eq!(failure.header("content-type"), "application/json");
    assert_eq!(failure.body(), r#"{"code":"aborted","message":"no"}"#);
    assert_eq!(failure.info().cause.as_deref(), Some("secret"));
}

#[test]
fn only_large_responses_are_compressed_for_clients_that_accept_gzip() {
    let runtime = TestRuntime::default();
    let respond = |length: usize, headers: &[(&'static str, &str)]| {
        let reply = async |_: &Context, _: String| Ok(Response::from("x".repeat(length)));
        call(&runtime, &WRITE, request("", headers), reply)
    };
    let accepts = [PROTO, ("accept-encoding", "br, gzip")];
    let large = respond(500, &accepts);
    assert_eq!(large.header("content-encoding"), "gzip");
    let mut decompressed = Vec::new();
    let mut gunzip = flate2::read::GzDecoder::new(large.http.body().as_ref());
    std::io::Read::read_to_end(&mut gunzip, &mut decompressed).unwrap();
    assert_eq!(&decompressed, respond(500, &[PROTO]).http.body());
    assert_eq!(respond(10, &accepts).header("content-encoding"), "");
    for accept_encoding in ["", "br", "gzip;q=0"] {
        let plain = respond(500, &[PROTO, ("accept-encoding", accept_encoding)]);
        assert_eq!(plain.header("content-encoding"), "", "{accept_encoding}");
    }
}

#[test]
fn methods_without_side_effects_accept_get() {
    let runtime = TestRuntime::default();
    let get = |query: &str, method| {
        let mut request = request("", &[]);
        *request.method_mut() = http::Method::GET;
        *request.uri_mut() = format!("{}?{query}", READ.path).parse().unwrap();
        call(&runtime, method, request, echo)
    };
    let response = get(
        "connect=v1&encoding=json&message=%222026-01-02T03:04:05Z%22",
        &READ,
    );
    assert_eq!(
        (response.http.status(), response.body()),
        (StatusCode::OK, MOMENT)
    );
    assert_eq!(response.header("vary"), "Accept-Encoding");
    assert_eq!(response.header("cache-control"), "no-store");
    let response = get("encoding=proto&base64=1&message=CAE", &READ);
    assert_eq!(
        (response.http.status(), response.body()),
        (StatusCode::OK, "\x08\x01")
    );
    for (query, status) in [
        ("encoding=xml&message=", 415),
        ("encoding=proto", 400),
        ("encoding=proto&message=&compression=br", 501),
        ("encoding=proto&message=&connect=v2", 400),
    ] {
        assert_eq!(get(query, &READ).http.status().as_u16(), status, "{query}");
    }
    let rejected = get("encoding=proto&message=", &WRITE);
    assert_eq!(
        (rejected.http.status().as_u16(), rejected.header("allow")),
        (405, "POST")
    );
}

#[test]
fn unknown_path_is_404_with_a_connect_error() {
    let runtime = TestRuntime::default();
    let server = Server::new(runtime.clone(), LIMITS);
    let request = Request::post("/nope").body(Bytes::new()).unwrap();
    let response = block_on(server.unknown_path(request));
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        response.body(),
        r#"{"code":"unimplemented","message":"no such method: /nope"}"#
    );
}

//! What goes back.

use bytes::Bytes;
use connect::Server;
use connect::testing::TestRuntime;
use connect::wkt::Timestamp;
use connect::{Context, Error, Response};
use futures_executor::block_on;
use http::{HeaderValue, Request, StatusCode};

use crate::support::*;

#[test]
fn metadata_goes_with_success_and_with_error() {
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
            let mut answer = Response::from(message);
            fill(&mut answer.headers, &mut answer.trailers);
            Ok(answer)
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
    for answer in [&success, &failure] {
        let repeated: Vec<_> = answer.http.headers().get_all("x-h").iter().collect();
        assert_eq!(repeated, ["1", "2"]);
        assert_eq!(answer.header("trailer-x-t"), "3");
    }
    // Errors are JSON in either codec, and what caused them is for the log alone.
    assert_eq!(failure.header("content-type"), "application/json");
    assert_eq!(failure.body(), r#"{"code":"aborted","message":"no"}"#);
    assert_eq!(failure.info().cause.as_deref(), Some("secret"));
}

#[test]
fn only_large_answers_are_compressed_and_only_for_who_accepts_it() {
    let runtime = TestRuntime::default();
    let answer = |length: usize, headers: &[(&'static str, &str)]| {
        let reply = async |_: &Context, _: String| Ok(Response::from("x".repeat(length)));
        call(&runtime, &WRITE, request("", headers), reply)
    };
    let accepts = [PROTO, ("accept-encoding", "br, gzip")];
    let large = answer(500, &accepts);
    assert_eq!(large.header("content-encoding"), "gzip");
    let mut inflated = Vec::new();
    let mut gunzip = flate2::read::GzDecoder::new(large.http.body().as_ref());
    std::io::Read::read_to_end(&mut gunzip, &mut inflated).unwrap();
    assert_eq!(&inflated, answer(500, &[PROTO]).http.body());
    assert_eq!(answer(10, &accepts).header("content-encoding"), "");
    for refuses in ["", "br", "gzip;q=0"] {
        let plain = answer(500, &[PROTO, ("accept-encoding", refuses)]);
        assert_eq!(plain.header("content-encoding"), "", "{refuses}");
    }
}

#[test]
fn what_reads_may_be_called_by_get() {
    let runtime = TestRuntime::default();
    let get = |query: &str, method| {
        let mut request = request("", &[]);
        *request.method_mut() = http::Method::GET;
        *request.uri_mut() = format!("{}?{query}", READ.path).parse().unwrap();
        call(&runtime, method, request, echo)
    };
    let answer = get(
        "connect=v1&encoding=json&message=%222026-01-02T03:04:05Z%22",
        &READ,
    );
    assert_eq!(
        (answer.http.status(), answer.body()),
        (StatusCode::OK, MOMENT)
    );
    assert_eq!(answer.header("vary"), "Accept-Encoding");
    assert_eq!(answer.header("cache-control"), "no-store");
    let answer = get("encoding=proto&base64=1&message=CAE", &READ);
    assert_eq!(
        (answer.http.status(), answer.body()),
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
    let refused = get("encoding=proto&message=", &WRITE);
    assert_eq!(
        (refused.http.status().as_u16(), refused.header("allow")),
        (405, "POST")
    );
}

#[test]
fn an_unknown_path_is_404_and_says_so_in_connect() {
    let runtime = TestRuntime::default();
    let server = Server::new(runtime.clone(), LIMITS);
    let request = Request::post("/nope").body(Bytes::new()).unwrap();
    let answer = block_on(server.unknown_path(request));
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        answer.body(),
        r#"{"code":"unimplemented","message":"no such method: /nope"}"#
    );
}

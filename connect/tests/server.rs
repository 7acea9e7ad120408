//! What a client sees of a unary call, in the order of connect-go's checks.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it cannot go on"
)]

use std::cell::Cell;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use connect::testing::TestHost;
use connect::wkt::Timestamp;
use connect::{
    Body, Context, Error, Idempotency, Limits, Message, Method, Peer, ReadError, Report, Response,
    Server,
};
use futures_executor::block_on;
use http::{HeaderValue, Request, StatusCode};

static WRITE: Method = Method {
    path: "/test.v1.Clock/Set",
    service: "test.v1.Clock",
    name: "Set",
    idempotency: Idempotency::Unknown,
    deprecated: false,
};

static READ: Method = Method {
    path: "/test.v1.Clock/Get",
    service: "test.v1.Clock",
    name: "Get",
    idempotency: Idempotency::NoSideEffects,
    deprecated: false,
};

const LIMITS: Limits = Limits {
    max_message_bytes: 100,
    max_timeout: Duration::from_secs(30),
    gzip_from_bytes: Some(40),
};

/// Notes what becomes of a body.
struct Watched<'a> {
    content: &'a [u8],
    fate: &'a Cell<&'static str>,
}

impl Body for Watched<'_> {
    async fn read(self, limit: usize) -> Result<Bytes, ReadError> {
        self.fate.set("read");
        Bytes::copy_from_slice(self.content).read(limit).await
    }

    async fn discard(self) {
        self.fate.set("discarded");
    }
}

/// An answer, and what became of the request's body.
struct Answer {
    http: http::Response<Bytes>,
    fate: &'static str,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.http
            .headers()
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn body(&self) -> &str {
        std::str::from_utf8(self.http.body()).unwrap()
    }

    fn report(&self) -> &Report {
        self.http.extensions().get().unwrap()
    }
}

fn request(content: &'static str, headers: &[(&'static str, &str)]) -> Request<&'static [u8]> {
    let mut request = Request::post(WRITE.path).body(content.as_bytes()).unwrap();
    for (name, value) in headers {
        request
            .headers_mut()
            .append(*name, HeaderValue::from_str(value).unwrap());
    }
    request
}

fn call<M: Message>(
    host: &TestHost,
    method: &'static Method,
    request: Request<&[u8]>,
    handler: impl AsyncFnOnce(&Context, M) -> Result<Response<M>, Error>,
) -> Answer {
    let fate = Cell::new("untouched");
    let request = request.map(|content| Watched {
        content,
        fate: &fate,
    });
    let http = block_on(Server::new(host, LIMITS).unary(method, request, handler));
    Answer {
        http,
        fate: fate.get(),
    }
}

async fn echo(_: &Context, message: Timestamp) -> Result<Response<Timestamp>, Error> {
    Ok(message.into())
}

async fn never(_: &Context, _: Timestamp) -> Result<Response<Timestamp>, Error> {
    panic!("the handler was called")
}

const JSON: (&str, &str) = ("content-type", "application/json");
const PROTO: (&str, &str) = ("content-type", "application/proto");
const MOMENT: &str = "\"2026-01-02T03:04:05Z\"";

#[test]
fn either_codec_is_answered_in_kind() {
    let host = TestHost::default();
    let json = call(&host, &WRITE, request(MOMENT, &[JSON]), echo);
    assert_eq!(json.http.status(), StatusCode::OK);
    assert_eq!(
        (json.header("content-type"), json.body()),
        ("application/json", MOMENT)
    );
    let proto = call(&host, &WRITE, request("\x08\x01", &[PROTO]), echo);
    assert_eq!(
        (proto.header("content-type"), proto.body()),
        ("application/proto", "\x08\x01")
    );
    let report = proto.report();
    assert_eq!(report.method.unwrap().name, "Set");
    assert!(report.code.is_none() && report.cause.is_none());
}

/// Each step mends what the step before was refused for, and uncovers the next refusal.
#[test]
fn checks_are_made_in_the_order_of_connect_go() {
    let host = TestHost::default();
    let wrong = [
        ("content-encoding", "br"),
        ("connect-protocol-version", "2"),
        ("connect-timeout-ms", "soon"),
        ("content-length", "1000"),
    ];
    let mut get = request("{", &[]);
    *get.method_mut() = http::Method::GET;
    let verb = call(&host, &WRITE, get, never);
    assert_eq!(verb.http.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(
        (verb.header("allow"), verb.body(), verb.fate),
        ("POST", "", "discarded")
    );

    let codec = call(&host, &WRITE, request("{", &wrong), never);
    assert_eq!(codec.http.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(
        codec.header("accept-post"),
        "application/json, application/proto"
    );
    assert_eq!((codec.body(), codec.fate), ("", "discarded"));

    for (mended, code, text, fate) in [
        (0, 501, "unknown compression", "discarded"),
        (1, 400, "Connect-Protocol-Version", "discarded"),
        (2, 400, "Connect-Timeout-Ms", "discarded"),
        (3, 429, "100", "discarded"),
        (4, 400, "unmarshal message", "read"),
    ] {
        let headers = [&[JSON], &wrong[mended..]].concat();
        let answer = call(&host, &WRITE, request("{", &headers), never);
        assert_eq!(answer.http.status().as_u16(), code, "{}", answer.body());
        assert!(answer.body().contains(text), "{}", answer.body());
        assert_eq!(
            (answer.header("content-type"), answer.fate),
            ("application/json", fate)
        );
    }
}

#[test]
fn a_message_is_limited_as_sent_and_as_inflated() {
    let host = TestHost::default();
    let blanks = concat!(
        "                                                  ",
        "\"                       ",
        "                                                          \""
    );
    let plain = call(&host, &WRITE, request(blanks, &[JSON]), never);
    assert_eq!(plain.http.status().as_u16(), 429, "{}", plain.body());

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut gzip, blanks.as_bytes()).unwrap();
    let small = gzip.finish().unwrap();
    assert!(small.len() < LIMITS.max_message_bytes);
    let mut bomb = request("", &[JSON, ("content-encoding", "gzip")]);
    *bomb.body_mut() = &small;
    let bomb = call(&host, &WRITE, bomb, never);
    assert_eq!(bomb.http.status().as_u16(), 429, "{}", bomb.body());
}

/// Also where lengths have 32 bits.
#[test]
fn a_length_beyond_any_memory_is_too_large() {
    let host = TestHost::default();
    for length in ["101", "4294967296", "99999999999999999999999", "-1", "much"] {
        let request = request("{}", &[JSON, ("content-length", length)]);
        let answer = call::<Timestamp>(&host, &WRITE, request, never);
        assert_eq!(answer.http.status().as_u16(), 429, "{length}");
        assert_eq!(answer.fate, "discarded", "{length}");
    }
}

#[test]
fn the_handler_learns_of_headers_peer_and_deadline() {
    let host = TestHost::default();
    host.now_ms.set(5_000);
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
        &host,
        &WRITE,
        request,
        async |cx: &Context, message: Timestamp| {
            assert_eq!(cx.method().path, WRITE.path);
            assert_eq!(
                cx.headers().get_all("x-a").iter().collect::<Vec<_>>(),
                ["1", "2"]
            );
            assert_eq!(cx.peer(), Some(caller));
            let left = cx.deadline().unwrap().remaining(5_100);
            assert_eq!(left, Duration::from_millis(150));
            Ok(Response::from(message))
        },
    );
    assert_eq!(answer.http.status(), StatusCode::OK);
}

#[test]
fn a_long_deadline_is_cut_and_none_needs_no_timer() {
    let host = TestHost::default();
    let long = request(MOMENT, &[JSON, ("connect-timeout-ms", "9999999999")]);
    call(
        &host,
        &WRITE,
        long,
        async |cx: &Context, message: Timestamp| {
            assert_eq!(cx.deadline().unwrap().remaining(0), LIMITS.max_timeout);
            Ok(Response::from(message))
        },
    );
    host.timers_fire.set(true);
    let none = call(
        &host,
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
    let host = TestHost::default();
    host.timers_fire.set(true);
    let slow = request(MOMENT, &[JSON, ("connect-timeout-ms", "250")]);
    let answer = call::<Timestamp>(&host, &WRITE, slow, async |_: &Context, _| {
        std::future::pending().await
    });
    assert_eq!(answer.http.status(), StatusCode::GATEWAY_TIMEOUT);
    assert!(
        answer.body().contains(r#""code":"deadline_exceeded""#),
        "{}",
        answer.body()
    );
}

#[test]
fn metadata_goes_with_success_and_with_error() {
    let host = TestHost::default();
    let fill = |headers: &mut http::HeaderMap, trailers: &mut http::HeaderMap| {
        headers.append("x-h", HeaderValue::from_static("1"));
        headers.append("x-h", HeaderValue::from_static("2"));
        trailers.append("x-t", HeaderValue::from_static("3"));
    };
    let success = call(
        &host,
        &WRITE,
        request(MOMENT, &[JSON]),
        async |_: &Context, message: Timestamp| {
            let mut answer = Response::from(message);
            fill(&mut answer.headers, &mut answer.trailers);
            Ok(answer)
        },
    );
    let failure = call(&host, &WRITE, request(MOMENT, &[PROTO]), never);
    assert_eq!(failure.http.status(), StatusCode::BAD_REQUEST);
    let failure = call(
        &host,
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
    assert_eq!(failure.report().cause.as_deref(), Some("secret"));
}

#[test]
fn only_large_answers_are_compressed_and_only_for_who_accepts_it() {
    let host = TestHost::default();
    let answer = |length: usize, headers: &[(&'static str, &str)]| {
        let reply = async |_: &Context, _: String| Ok(Response::from("x".repeat(length)));
        call(&host, &WRITE, request("", headers), reply)
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
    let host = TestHost::default();
    let get = |query: &str, method| {
        let mut request = request("", &[]);
        *request.method_mut() = http::Method::GET;
        *request.uri_mut() = format!("{}?{query}", READ.path).parse().unwrap();
        call(&host, method, request, echo)
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
    let host = TestHost::default();
    let server = Server::new(&host, LIMITS);
    let request = Request::post("/nope").body(Bytes::new()).unwrap();
    let answer = block_on(server.unknown_path(request));
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        answer.body(),
        r#"{"code":"unimplemented","message":"no such method: /nope"}"#
    );
}

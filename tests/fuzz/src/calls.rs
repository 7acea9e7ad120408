//! Requests to the whole service, from HTTP down to the leases in memory.

use std::io::Read as _;
use std::num::NonZeroU32;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use connect::testing::TestRuntime;
use connect::{Code, UnixMillis};
use coral_discovery::http::router;
use coral_discovery::limits;
use coral_discovery::state::AppState;
use coral_discovery::testing::{TestHost, TestSink};
use coral_registry::Settings;
use coral_registry::testing::TestObjects;
use flate2::read::MultiGzDecoder;
use futures_executor::block_on;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};

const SERVICE: &str = "/coral.discovery.v1.DiscoveryService";
const RELAYS: &str = r#"[{"id": "r", "endpoint": "relay.example.org:3478"}]"#;

/// Fuzzes a request as text: verb and path, headers, an empty line, the body. Whatever it is, the
/// response is one of the protocol, and a colony registered before can still be looked up.
pub(crate) fn request(data: &[u8]) {
    let Some(request) = parse(data) else {
        return;
    };
    let service = Service::new();
    let body = r#"{"meshId":"m","pubkey":"k","endpoints":["192.0.2.1:1"]}"#;
    let registered = service.handle(post("RegisterColony", body.into()));
    assert_eq!(registered.status(), StatusCode::OK);
    check(&service.handle(request));
    let found = service.handle(post("LookupColony", r#"{"meshId":"m"}"#.into()));
    assert_eq!(found.status(), StatusCode::OK, "{found:?}");
}

/// Fuzzes the query of a lookup by GET.
pub(crate) fn get(data: &[u8]) {
    let service = Service::new();
    let query = String::from_utf8_lossy(data);
    let uri = format!("{SERVICE}/LookupColony?{query}");
    let Ok(request) = Request::get(uri).body(Bytes::new()) else {
        return;
    };
    let response = service.handle(request);
    check(&response);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
}

/// Fuzzes the gzip body of a registration: the response is that to the inflated body, or an error
/// where the body is too large or not gzip.
pub(crate) fn gzip(data: &[u8]) {
    let service = Service::new();
    let mut request = post("RegisterColony", Bytes::copy_from_slice(data));
    let gzip = HeaderValue::from_static("gzip");
    request.headers_mut().insert(header::CONTENT_ENCODING, gzip);
    let response = service.handle(request);
    check(&response);
    let beyond = u64::try_from(limits::MESSAGE_BYTES).unwrap() + 1;
    let mut inflated = Vec::new();
    let reading = MultiGzDecoder::new(data)
        .take(beyond)
        .read_to_end(&mut inflated);
    if inflated.len() > limits::MESSAGE_BYTES || data.len() > limits::MESSAGE_BYTES {
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    } else if data.is_empty() || reading.is_ok() {
        let plain = service.handle(post("RegisterColony", inflated.into()));
        assert_eq!(response.status(), plain.status());
    } else {
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }
}

/// The service as a host runs it, on objects in memory.
struct Service {
    host: TestHost,
    state: Rc<AppState>,
}

impl Service {
    fn new() -> Self {
        let var = |name: &str| match name {
            "CORAL_RELAYS" => Some(RELAYS.to_owned()),
            "RUNTIME" => Some("workerd".to_owned()),
            _ => None,
        };
        let sink = Box::new(TestSink::default());
        let state = AppState::new(var, None, sink, UnixMillis::EPOCH);
        assert!(state.config_error.is_none());
        let settings = Settings {
            cleanup_interval: state.config.cleanup_interval,
            // Every key is hot, so that copies are served too.
            hot_lookups: NonZeroU32::new(1),
            census_debounce: Duration::ZERO,
            publishes_count: true,
        };
        Self {
            host: TestHost::new(TestObjects::new(TestRuntime::default(), settings)),
            state: Rc::new(state),
        }
    }

    fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let host = |usage: &_| Ok(self.host.with_usage(usage));
        block_on(router::handle(
            request,
            &self.state,
            &self.host.runtime,
            host,
        ))
    }
}

fn post(method: &str, json: Bytes) -> Request<Bytes> {
    let mut request = Request::post(format!("{SERVICE}/{method}"))
        .body(json)
        .unwrap();
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    request
}

/// Parses a request; `None` for what no HTTP server would let through.
fn parse(data: &[u8]) -> Option<Request<Bytes>> {
    let mut rest = data;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = rest.split_at_checked(end)?;
        rest = after.get(1..)?;
        Some(line)
    };
    let (verb, path) = std::str::from_utf8(line()?).ok()?.split_once(' ')?;
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = Method::from_bytes(verb.as_bytes()).ok()?;
    *request.uri_mut() = path.parse().ok()?;
    while let Some(header) = line().filter(|line| !line.is_empty()) {
        let (name, value) = std::str::from_utf8(header).ok()?.split_once(": ")?;
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let value = HeaderValue::from_str(value).ok()?;
        request.headers_mut().append(name, value);
    }
    *request.body_mut() = Bytes::copy_from_slice(rest);
    Some(request)
}

/// Checks that a response is a success, a bare HTTP error, or a protocol error that blames the
/// client.
fn check(response: &Response<Bytes>) {
    if response.status() == StatusCode::OK {
        return;
    }
    if response.body().is_empty() {
        let bare = [
            StatusCode::METHOD_NOT_ALLOWED,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ];
        assert!(bare.contains(&response.status()), "{response:?}");
        return;
    }
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    let error: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    let members = error.as_object().unwrap();
    let known = ["code", "message", "details"];
    assert!(members.keys().all(|name| known.contains(&name.as_str())));
    let code = Code::from_name(error["code"].as_str().unwrap()).unwrap();
    let is_unknown_path = code == Code::Unimplemented && response.status() == StatusCode::NOT_FOUND;
    assert!(
        code.http_status() == response.status() || is_unknown_path,
        "{response:?}"
    );
    let ours = [
        Code::Unknown,
        Code::Internal,
        Code::DataLoss,
        Code::Unavailable,
    ];
    assert!(!ours.contains(&code), "{response:?}");
}

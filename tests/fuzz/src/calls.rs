//! Calls of the whole service, from HTTP down to the leases in memory.

use std::io::Read as _;
use std::num::NonZeroU32;
use std::rc::Rc;

use bytes::Bytes;
use connect::testing::TestHost;
use connect::{Code, Server};
use coral_discovery::isolate::Isolate;
use coral_discovery::limits;
use coral_discovery::memory::MemoryPlatform;
use coral_discovery::protos::coral::discovery::v1::discovery_service;
use coral_discovery::registry::memory::MemoryObjects;
use coral_discovery::registry::service::Settings;
use coral_discovery::service::Discovery;
use flate2::read::MultiGzDecoder;
use futures_executor::block_on;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};

const SERVICE: &str = "/coral.discovery.v1.DiscoveryService";
const RELAYS: &str = r#"[{"id": "r", "endpoint": "relay.example.org:3478"}]"#;

/// A request as text: verb and path, headers, an empty line, the body. Whatever it is, the answer
/// is one of the protocol, and the colony that was there before can still be looked up.
pub(crate) fn request(data: &[u8]) {
    let Some(request) = parse(data) else {
        return;
    };
    let host = TestHost::default();
    let service = Service::new(&host);
    let body = r#"{"meshId":"m","pubkey":"k","endpoints":["192.0.2.1:1"]}"#;
    let registered = service.answer(post("RegisterColony", body.into()));
    assert_eq!(registered.status(), StatusCode::OK);
    check(&service.answer(request));
    let found = service.answer(post("LookupColony", r#"{"meshId":"m"}"#.into()));
    assert_eq!(found.status(), StatusCode::OK, "{found:?}");
}

/// The query of a lookup by GET.
pub(crate) fn get(data: &[u8]) {
    let host = TestHost::default();
    let service = Service::new(&host);
    let query = String::from_utf8_lossy(data);
    let uri = format!("{SERVICE}/LookupColony?{query}");
    let Ok(request) = Request::get(uri).body(Bytes::new()) else {
        return;
    };
    let answer = service.answer(request);
    check(&answer);
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
}

/// The body of a registration in gzip: it is answered as what it inflates to is, and as too large
/// or unreadable where that cannot be.
pub(crate) fn gzip(data: &[u8]) {
    let host = TestHost::default();
    let service = Service::new(&host);
    let mut request = post("RegisterColony", Bytes::copy_from_slice(data));
    let gzip = HeaderValue::from_static("gzip");
    request.headers_mut().insert(header::CONTENT_ENCODING, gzip);
    let answer = service.answer(request);
    check(&answer);
    let beyond = u64::try_from(limits::MESSAGE_BYTES).unwrap() + 1;
    let mut inflated = Vec::new();
    let reading = MultiGzDecoder::new(data)
        .take(beyond)
        .read_to_end(&mut inflated);
    if inflated.len() > limits::MESSAGE_BYTES || data.len() > limits::MESSAGE_BYTES {
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    } else if data.is_empty() || reading.is_ok() {
        let plain = service.answer(post("RegisterColony", inflated.into()));
        assert_eq!(answer.status(), plain.status());
    } else {
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    }
}

/// The service as the Worker runs it, on objects in memory.
struct Service<'a> {
    host: &'a TestHost,
    platform: MemoryPlatform<'a>,
    isolate: Rc<Isolate>,
}

impl<'a> Service<'a> {
    fn new(host: &'a TestHost) -> Self {
        let var = |name: &str| (name == "CORAL_RELAYS").then(|| RELAYS.to_owned());
        let isolate = Isolate::new(var, 0);
        assert!(isolate.fault.is_none());
        let settings = Settings {
            cleanup_interval_ms: isolate.config.cleanup_interval_ms,
            // Everything is hot, so that copies are looked at too.
            hot_lookups: NonZeroU32::new(1),
            census_debounce_ms: 0,
            publishes: true,
        };
        let objects = MemoryObjects::new(host, settings);
        Self {
            host,
            platform: MemoryPlatform::new(host, objects),
            isolate: Rc::new(isolate),
        }
    }

    fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let handlers = Discovery {
            platform: self.platform.clone(),
            isolate: Rc::clone(&self.isolate),
            meter: Rc::default(),
        };
        let server = Server::new(self.host, limits::server(true));
        block_on(discovery_service::route(&handlers, &server, request))
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

/// `None` for what no HTTP server would let through.
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

/// An answer is a success, HTTP's own refusal, or an error of the protocol that blames the client.
fn check(answer: &Response<Bytes>) {
    if answer.status() == StatusCode::OK {
        return;
    }
    if answer.body().is_empty() {
        let bare = [
            StatusCode::METHOD_NOT_ALLOWED,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ];
        assert!(bare.contains(&answer.status()), "{answer:?}");
        return;
    }
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
    let error: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    let members = error.as_object().unwrap();
    let known = ["code", "message", "details"];
    assert!(members.keys().all(|name| known.contains(&name.as_str())));
    let code = Code::from_name(error["code"].as_str().unwrap()).unwrap();
    let is_unknown_path = code == Code::Unimplemented && answer.status() == StatusCode::NOT_FOUND;
    assert!(
        code.http_status() == answer.status() || is_unknown_path,
        "{answer:?}"
    );
    let ours = [
        Code::Unknown,
        Code::Internal,
        Code::DataLoss,
        Code::Unavailable,
    ];
    assert!(!ours.contains(&code), "{answer:?}");
}

//! The router, from HTTP to HTTP: which paths it serves, what it logs, and what it lets through.

use std::cell::Cell;
use std::rc::Rc;

use bytes::Bytes;
use connect::UnixMillis;
use futures_executor::block_on;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};

use super::router::handle;
use crate::state::AppState;
use crate::testing::{TestHost, TestSink};

const SERVICE: &str = "/coral.discovery.v1.DiscoveryService";
const ADMIN_SERVICE: &str = "/coral.discovery.admin.v1.AdminService";
const ADMIN_KEY: &str = "0123456789abcdef0123456789abcdef";
const SIGNING_KEY: &str =
    r#"{"id":"K","privateKey":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="}"#;

/// A service behind its router.
struct Service {
    host: TestHost,
    state: Rc<AppState>,
    sink: TestSink,
    hosts_made: Cell<u32>,
}

impl Service {
    fn new(vars: &[(&str, &str)]) -> Self {
        let var = |name: &str| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let sink = TestSink::default();
        let state = AppState::new(var, None, Box::new(sink.clone()), UnixMillis::EPOCH);
        Self {
            host: TestHost::default(),
            state: Rc::new(state),
            sink,
            hosts_made: Cell::new(0),
        }
    }

    fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let host = |usage: &_| {
            self.hosts_made.set(self.hosts_made.get() + 1);
            Ok(self.host.with_usage(usage))
        };
        block_on(handle(request, &self.state, &self.host.runtime, host))
    }

    fn get(&self, path: &str) -> Response<Bytes> {
        self.handle(request(Method::GET, path, ""))
    }

    fn post(&self, path: &str, json: &str) -> Response<Bytes> {
        self.handle(request(Method::POST, path, json))
    }

    /// Returns the log entries of a kind, in JSON.
    fn entries(&self, event: &str) -> Vec<serde_json::Value> {
        let lines = self.sink.lines();
        let entries = lines.iter().map(|line| serde_json::from_str(line).unwrap());
        let entries = entries.filter(|entry: &serde_json::Value| entry["event"] == event);
        entries.collect()
    }
}

fn request(method: Method, path: &str, json: &str) -> Request<Bytes> {
    let mut request = Request::new(Bytes::copy_from_slice(json.as_bytes()));
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().unwrap();
    let headers = request.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert("cf-ray", HeaderValue::from_static("8f00000000000000-FRA"));
    request
}

fn json(response: &Response<Bytes>) -> serde_json::Value {
    serde_json::from_slice(response.body()).unwrap()
}

#[test]
fn health_check_is_served_from_memory() {
    let service = Service::new(&[]);
    let response = service.get("/health");
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(json(&response)["status"], "ok");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let head = service.handle(request(Method::HEAD, "/health", ""));
    assert_eq!((head.status(), head.body().len()), (StatusCode::OK, 0));
    let post = service.post("/health", "{}");
    assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(post.headers()[header::ALLOW], "GET, HEAD");
    assert_eq!(service.hosts_made.get(), 0);
}

#[test]
fn wrong_variables_fail_every_call_but_health() {
    let service = Service::new(&[("DEFAULT_TTL_SECONDS", "0")]);
    let check = service.get("/health");
    assert_eq!(check.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(json(&check)["status"], "degraded");
    let lookup = service.post(&format!("{SERVICE}/LookupColony"), r#"{"meshId":"m"}"#);
    assert_eq!(json(&lookup)["code"], "failed_precondition");
    let message = json(&lookup)["message"].to_string();
    assert!(message.contains("DEFAULT_TTL_SECONDS"), "{message}");
    assert_eq!(
        service.get("/.well-known/jwks.json").status(),
        lookup.status()
    );
    let health = service.post(&format!("{SERVICE}/Health"), "{}");
    assert_eq!(json(&health)["status"], "degraded");
    assert_eq!(
        service.entries("warning").len(),
        1,
        "logged once, at the start"
    );
}

#[test]
fn missing_port_is_named_and_health_checks_go_on() {
    let service = Service::new(&[]);
    let request = request(Method::POST, &format!("{SERVICE}/LookupColony"), "{}");
    let host = |_: &_| Err::<TestHost, _>("REGISTRY must be bound".to_owned());
    let response = block_on(handle(request, &service.state, &service.host.runtime, host));
    let message = json(&response)["message"].to_string();
    assert!(message.contains("REGISTRY must be bound"), "{message}");
    assert_eq!(service.get("/health").status(), StatusCode::OK);
}

#[test]
fn key_set_may_be_cached_only_if_it_has_keys() {
    let with_key = Service::new(&[("DISCOVERY_SIGNING_KEY", SIGNING_KEY)]);
    let response = with_key.get("/.well-known/jwks.json");
    assert_eq!(json(&response)["keys"][0]["kid"], "K");
    let cache_control = &response.headers()[header::CACHE_CONTROL];
    assert_eq!(cache_control, "public, max-age=300");
    let without = Service::new(&[]);
    for _ in 0..2 {
        let response = without.get("/.well-known/jwks.json");
        assert_eq!(json(&response), serde_json::json!({"keys": []}));
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    }
    let warnings = without.entries("warning");
    assert_eq!(warnings.len(), 1, "at most once a minute");
    assert_eq!(warnings[0]["level"], "error");
}

#[test]
fn registered_colony_is_found_and_both_calls_are_logged() {
    let service = Service::new(&[]);
    let colony = r#"{"meshId":"m","pubkey":"k","endpoints":["192.0.2.1:1"]}"#;
    let registered = service.post(&format!("{SERVICE}/RegisterColony"), colony);
    assert_eq!(registered.status(), StatusCode::OK, "{registered:?}");
    let found = service.post(&format!("{SERVICE}/LookupColony"), r#"{"meshId":"m"}"#);
    assert_eq!(json(&found)["pubkey"], "k");
    let entries = service.entries("request");
    let [register, lookup] = entries.as_slice() else {
        panic!("{entries:?}");
    };
    assert_eq!(register["method"], "RegisterColony");
    assert_eq!(register["object_requests"], 1);
    assert_eq!(register["rows_written"], 2, "the lease and the alarm");
    assert_eq!(lookup["lookup_source"], "object");
    assert_eq!(lookup["colo"], "FRA");
    assert_eq!(lookup["mesh_hash"], register["mesh_hash"]);
    assert!(
        !service.sink.lines().concat().contains(r#""m""#),
        "no id is logged"
    );
    assert_eq!(service.sink.points(), ["RegisterColony", "LookupColony"]);
}

#[test]
fn admin_service_needs_the_key_and_every_call_is_audited() {
    let service = Service::new(&[("DISCOVERY_ADMIN_KEY", ADMIN_KEY), ("LOG_LEVEL", "error")]);
    let path = format!("{ADMIN_SERVICE}/ListLeases");
    let list = r#"{"meshId":"m"}"#;
    let refused = service.post(&path, list);
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let mut request = request(Method::POST, &path, list);
    let bearer = HeaderValue::try_from(format!("Bearer {ADMIN_KEY}")).unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    let caller = HeaderValue::from_static("198.51.100.7");
    request.headers_mut().insert("cf-connecting-ip", caller);
    assert_eq!(service.handle(request).status(), StatusCode::OK);
    let entries = service.entries("admin");
    assert_eq!(entries.len(), 2, "whatever the level");
    assert_eq!(entries[0]["status"], 401);
    assert_eq!(entries[1]["caller"], "198.51.100.7");
    assert!(!service.sink.lines().concat().contains(ADMIN_KEY));
}

#[test]
fn without_an_admin_key_there_is_no_admin_service() {
    let service = Service::new(&[]);
    let response = service.post(&format!("{ADMIN_SERVICE}/ListLeases"), "{}");
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert!(service.entries("admin").is_empty());
}

#[test]
fn self_hosted_response_carries_the_id_of_its_request() {
    let ray_of = |vars| {
        let response = Service::new(vars).get("/health");
        let ray = response.headers().get("cf-ray").cloned();
        ray.map(|ray| ray.to_str().unwrap().to_owned())
    };
    let workerd: &[_] = &[("RUNTIME", "workerd")];
    assert_eq!(ray_of(workerd).as_deref(), Some("8f00000000000000-FRA"));
    assert_eq!(ray_of(&[]), None);
}

/// A batch also holds notifications of other requests, and may be sent while this one still waits:
/// for the legacy server, for example.
#[test]
fn notifications_are_not_accounted_to_the_request_that_sends_them() {
    let service = Service::new(&[]);
    // Notifications are sent at once.
    service.host.objects.runtime.fire_timers(true);
    let colony = r#"{"meshId":"m","pubkey":"k","endpoints":["192.0.2.1:1"]}"#;
    service.post(&format!("{SERVICE}/RegisterColony"), colony);
    let requests = service.host.objects.requests.get();
    assert_eq!(
        requests, 2,
        "the registration, and the report to the census"
    );
    let entries = service.entries("request");
    assert_eq!(entries[0]["object_requests"], 1, "{}", entries[0]);
    assert_eq!(entries[0]["rows_written"], 2, "the lease and the alarm");
}

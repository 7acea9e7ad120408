//! Handlers when the registry, a limit or the legacy server fails. The end-to-end tests show what
//! clients see when all is well.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use connect::testing::Loopback;
use connect::{CallOptions, Client, Code, Codec, Error, Limits, Server, UnixMillis};
use futures_executor::block_on;

use super::Discovery;
use crate::domain::client::ClientInfo;
use crate::domain::lease_key;
use crate::domain::rate_limit::{Limit, lease_key as counted_lease};
use crate::proto::discovery::{
    DiscoveryServiceClient, HealthRequest, LookupAgentRequest, LookupColonyRequest,
    RegisterAgentRequest, RegisterColonyRequest, RequestRelayRequest, discovery_service,
};
use crate::state::AppState;
use crate::testing::{TestHost, TestSink};

const RELAYS: &str = r#"[
    {"id": "r1", "endpoint": "a.example.org:1"},
    {"id": "r2", "endpoint": "b.example.org:2"}
]"#;

const LEGACY_URL: (&str, &str) = ("LEGACY_DISCOVERY_URL", "http://legacy.example.org");

/// The service on a host in memory.
struct Service {
    host: TestHost,
    state: Rc<AppState>,
    sink: TestSink,
    is_forwarded: bool,
}

impl Service {
    fn new() -> Self {
        Self::with(&[("CORAL_RELAYS", RELAYS)])
    }

    fn with(vars: &[(&str, &str)]) -> Self {
        let var = |name: &str| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let sink = TestSink::default();
        let state = AppState::new(var, None, Box::new(sink.clone()), UnixMillis::EPOCH);
        assert!(state.config_error.is_none());
        Self {
            host: TestHost::default(),
            state: Rc::new(state),
            sink,
            is_forwarded: false,
        }
    }

    /// Serves a request as the router does, each with handlers of its own.
    async fn serve(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        let limits = Limits {
            max_message_bytes: 1_000,
            max_timeout: Duration::from_secs(1),
            gzip_from_bytes: None,
        };
        let usage = Rc::default();
        let handlers = Discovery {
            host: self.host.with_usage(&usage),
            state: Rc::clone(&self.state),
            usage,
            client: Rc::new(ClientInfo {
                address: "198.51.100.7".parse().ok(),
                is_forwarded: self.is_forwarded,
                ..ClientInfo::default()
            }),
        };
        let server = Server::new(self.host.runtime.clone(), limits);
        discovery_service::route(&handlers, &server, request).await
    }

    fn advance(&self, duration: Duration) {
        let now = self.host.objects.runtime.now();
        self.host.set_now(now + duration);
    }

    fn warnings(&self, part: &str) -> usize {
        let lines = self.sink.lines();
        lines.iter().filter(|line| line.contains(part)).count()
    }
}

/// A client whose requests go to the service.
macro_rules! client {
    ($service:ident) => {
        DiscoveryServiceClient(Client::new(
            Loopback {
                runtime: $service.host.objects.runtime.clone(),
                serve: async |request| Ok($service.serve(request).await),
            },
            "http://test",
            Codec::Proto,
            1_000,
        ))
    };
}

mod legacy;

fn options() -> CallOptions {
    CallOptions::default()
}

fn colony(mesh_id: &str) -> RegisterColonyRequest {
    RegisterColonyRequest {
        mesh_id: mesh_id.to_owned(),
        pubkey: "k".to_owned(),
        endpoints: vec!["a:1".to_owned()],
        ..RegisterColonyRequest::default()
    }
}

fn relay(mesh_id: &str) -> RequestRelayRequest {
    RequestRelayRequest {
        mesh_id: mesh_id.to_owned(),
        agent_pubkey: "a".to_owned(),
        colony_pubkey: "c".to_owned(),
    }
}

fn lookup_request(mesh_id: &str) -> LookupColonyRequest {
    LookupColonyRequest {
        mesh_id: mesh_id.to_owned(),
    }
}

#[test]
fn without_the_registry_calls_are_unavailable_and_reveal_nothing() {
    let service = Service::new();
    service.host.objects.are_down.set(true);
    let client = client!(service);
    let agent = RegisterAgentRequest {
        agent_id: "a".to_owned(),
        mesh_id: "m".to_owned(),
        pubkey: "k".to_owned(),
        endpoints: vec!["a:1".to_owned()],
        ..RegisterAgentRequest::default()
    };
    let lookup_agent = LookupAgentRequest {
        agent_id: "a".to_owned(),
        mesh_id: String::new(),
    };
    let errors: [Error; 5] = [
        block_on(client.register_colony(&colony("m"), options())).unwrap_err(),
        block_on(client.register_agent(&agent, options())).unwrap_err(),
        block_on(client.lookup_colony(&lookup_request("m"), options())).unwrap_err(),
        block_on(client.lookup_agent(&lookup_agent, options())).unwrap_err(),
        block_on(client.request_relay(&relay("m"), options())).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), Code::Unavailable);
        assert_eq!(error.message(), "the registry is unavailable, try again");
        assert_eq!(error.headers()["retry-after"], "1");
        assert_eq!(error.details()[0].type_name, "google.rpc.RetryInfo");
    }
}

#[test]
fn beyond_a_limit_no_object_is_called_and_the_client_learns_when_to_retry() {
    let service = Service::new();
    let client = client!(service);
    let calls = || {
        [
            block_on(client.register_colony(&colony("m"), options())).err(),
            block_on(client.lookup_colony(&lookup_request("m"), options())).err(),
            block_on(client.request_relay(&relay("m"), options())).err(),
        ]
    };
    assert_eq!(calls().iter().flatten().count(), 0);
    let counted = service.host.rate_limiter.counted.take();
    let caller = "198.51.100.7".to_owned();
    let mesh = counted_lease(&lease_key::colony("m"), "k");
    assert_eq!(
        counted,
        [
            (Limit::RegisterByClient, caller.clone()),
            (Limit::RegisterByLease, mesh),
            (Limit::LookupByClient, caller.clone()),
            (Limit::RegisterByClient, caller),
        ]
    );
    service.host.rate_limiter.is_exhausted.set(true);
    let requests = service.host.objects.requests.get();
    for error in calls() {
        let error = error.unwrap();
        assert_eq!(error.code(), Code::ResourceExhausted);
        assert_eq!(error.headers()["retry-after"], "60");
    }
    assert_eq!(service.host.objects.requests.get(), requests);
    let health = block_on(client.health(&HealthRequest {}, options()));
    let status = health.unwrap().message.status;
    assert_eq!(status, "ok", "Health is not counted");
}

#[test]
fn failing_limiter_limits_nothing_and_is_a_warning_once_a_minute() {
    let service = Service::new();
    service.host.rate_limiter.fails.set(true);
    let client = client!(service);
    for _ in 0..3 {
        block_on(client.register_colony(&colony("m"), options())).unwrap();
    }
    assert_eq!(service.warnings("LIMIT_REGISTER_BY_CLIENT"), 1);
}

#[test]
fn health_never_fails_and_seldom_calls_an_object() {
    let service = Service::new();
    let client = client!(service);
    let colonies = || {
        let health = block_on(client.health(&HealthRequest {}, options()));
        health.unwrap().message.registered_colonies
    };
    let objects = &service.host.objects;
    // Notifications are sent at once.
    objects.runtime.fire_timers(true);
    block_on(client.register_colony(&colony("m"), options())).unwrap();
    let requests = objects.requests.get();
    block_on(client.register_colony(&colony("m"), options())).unwrap();
    let renewal = objects.requests.get() - requests;
    assert_eq!(renewal, 1, "a renewal is not reported to the census");
    objects.runtime.fire_timers(false);
    // The alarm of a shard of the census, and that of the total.
    for _ in 0..2 {
        block_on(objects.fire_alarms());
    }
    assert_eq!(objects.published.get(), Some(1));
    assert_eq!(colonies(), 1);
    let requests = objects.requests.get();
    service.advance(Duration::from_millis(29_999));
    assert_eq!(colonies(), 1);
    assert_eq!(objects.requests.get(), requests, "counted again too soon");

    objects.are_down.set(true);
    service.advance(Duration::from_millis(1));
    assert_eq!(colonies(), 1, "the last known count");
    assert!(objects.requests.get() > requests);
    let requests = objects.requests.get();
    assert_eq!(colonies(), 1);
    assert_eq!(objects.requests.get(), requests, "counted again too soon");
}

#[test]
fn health_does_not_wait_for_a_slow_registry() {
    let service = Service::new();
    // Its timers fire before anything else happens.
    service.host.objects.runtime.fire_timers(true);
    service
        .host
        .objects
        .latency
        .set((Duration::from_secs(9), Duration::ZERO));
    let client = client!(service);
    let health = block_on(client.health(&HealthRequest {}, options())).unwrap();
    assert_eq!(health.message.status, "ok");
}

#[test]
fn notification_that_fails_is_a_warning_and_an_alarm_makes_up_for_it() {
    let service = Service::new();
    let client = client!(service);
    let objects = &service.host.objects;
    block_on(client.register_colony(&colony("m"), options())).unwrap();
    let warnings = || service.warnings("registrations were not reported to the census");
    objects.are_down.set(true);
    service.host.runtime.run_tasks();
    assert_eq!(warnings(), 0, "still batched");
    objects.runtime.fire_timers(true);
    service.host.runtime.run_tasks();
    assert_eq!(warnings(), 1);

    objects.are_down.set(false);
    objects.runtime.fire_timers(false);
    service.advance(Duration::from_secs(200));
    block_on(client.register_colony(&colony("m"), options())).unwrap();
    service.advance(Duration::from_secs(160));
    // The alarm of the mesh's object, that of a shard of the census, and that of the total.
    for _ in 0..3 {
        block_on(objects.fire_alarms());
    }
    assert_eq!(objects.published.get(), Some(1));
}

#[test]
fn mesh_stays_with_its_relay_and_meshes_spread() {
    let service = Service::new();
    let client = client!(service);
    let relay_of = |mesh_id: &str| {
        let granted = block_on(client.request_relay(&relay(mesh_id), options()));
        granted.unwrap().message.relay_id
    };
    let ids: Vec<_> = (0..40).map(|i| relay_of(&format!("mesh-{i}"))).collect();
    let again: Vec<_> = (0..40).map(|i| relay_of(&format!("mesh-{i}"))).collect();
    assert_eq!(ids, again);
    let first = ids.iter().filter(|id| *id == "r1").count();
    assert!(
        (10..=30).contains(&first),
        "{first} of 40 at the first of two"
    );
}

/// A future is moved around for every call. Passed on by value it would double with each function
/// that it passes through.
#[test]
fn future_of_a_call_is_small() {
    let service = Service::new();
    let request = http::Request::new(Bytes::new());
    let bytes = size_of_val(&service.serve(request));
    assert!(bytes <= 12 * 1024, "{bytes} bytes");
}

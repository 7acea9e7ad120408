//! What handlers do when the registry cannot be reached. What clients see when it can is tested
//! end to end.

use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use connect::testing::{Loopback, TestHost};
use connect::{CallOptions, Client, Code, Codec, Error, Limits, Peer, Server};
use futures_executor::block_on;

use super::Discovery;
use crate::isolate::Isolate;
use crate::memory::MemoryPlatform;
use crate::protos::coral::discovery::v1::{
    DiscoveryServiceClient, HealthRequest, LookupAgentRequest, LookupColonyRequest,
    RegisterAgentRequest, RegisterColonyRequest, RequestRelayRequest, discovery_service,
};
use crate::protos::coral::registry::v1::{LeaseKey, LeaseKind};
use crate::rate_limit::{Limit, lease_key};
use crate::registry::census;
use crate::registry::memory::MemoryObjects;
use crate::registry::service::Settings;

const RELAYS: &str = r#"[
    {"id": "r1", "endpoint": "a.example.org:1"},
    {"id": "r2", "endpoint": "b.example.org:2"}
]"#;

const SETTINGS: Settings = Settings {
    cleanup_interval_ms: 60_000,
    hot_lookups: None,
    census_debounce_ms: 0,
    publishes: true,
};

/// The service on objects in memory.
struct Service<'a> {
    host: &'a TestHost,
    platform: MemoryPlatform<'a>,
    isolate: Rc<Isolate>,
}

impl<'a> Service<'a> {
    fn new(host: &'a TestHost) -> Self {
        Self::with(host, &[("CORAL_RELAYS", RELAYS)])
    }

    fn with(host: &'a TestHost, vars: &[(&str, &str)]) -> Self {
        let var = |name: &str| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let isolate = Isolate::new(var, 0);
        assert!(isolate.fault.is_none());
        let objects = MemoryObjects::new(host, SETTINGS);
        Self {
            host,
            platform: MemoryPlatform::new(host, objects),
            isolate: Rc::new(isolate),
        }
    }

    /// Answers a request as the Worker does, each with handlers of its own.
    async fn answer(&self, mut request: http::Request<Bytes>) -> http::Response<Bytes> {
        let caller = Ipv4Addr::new(198, 51, 100, 7);
        request.extensions_mut().insert(Peer(caller.into()));
        let limits = Limits {
            max_message_bytes: 1_000,
            max_timeout: Duration::from_secs(1),
            gzip_from_bytes: None,
        };
        let handlers = Discovery {
            platform: self.platform.clone(),
            isolate: Rc::clone(&self.isolate),
            meter: Rc::default(),
        };
        discovery_service::route(&handlers, &Server::new(self.host, limits), request).await
    }
}

/// A client whose requests go to the service.
macro_rules! client {
    ($service:ident) => {
        DiscoveryServiceClient(Client::new(
            Loopback {
                host: $service.host,
                serve: async |request| Ok($service.answer(request).await),
            },
            "http://test",
            Codec::Proto,
            1_000,
        ))
    };
}

fn call() -> CallOptions {
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

#[test]
fn without_the_registry_calls_are_unavailable_and_say_no_more() {
    let host = TestHost::default();
    let service = Service::new(&host);
    service.platform.objects.are_down.set(true);
    let client = client!(service);
    let agent = RegisterAgentRequest {
        agent_id: "a".to_owned(),
        mesh_id: "m".to_owned(),
        pubkey: "k".to_owned(),
        endpoints: vec!["a:1".to_owned()],
        ..RegisterAgentRequest::default()
    };
    let mesh_id = "m".to_owned();
    let lookup_agent = LookupAgentRequest {
        agent_id: "a".to_owned(),
        mesh_id: String::new(),
    };
    let lookup = LookupColonyRequest { mesh_id };
    let errors: [Error; 5] = [
        block_on(client.register_colony(&colony("m"), call())).unwrap_err(),
        block_on(client.register_agent(&agent, call())).unwrap_err(),
        block_on(client.lookup_colony(&lookup, call())).unwrap_err(),
        block_on(client.lookup_agent(&lookup_agent, call())).unwrap_err(),
        block_on(client.request_relay(&relay("m"), call())).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), Code::Unavailable);
        assert_eq!(error.message(), "the registry cannot answer now, try again");
        assert_eq!(error.headers()["retry-after"], "1");
        assert_eq!(error.details()[0].type_name, "google.rpc.RetryInfo");
    }
}

#[test]
fn beyond_a_limit_nothing_is_asked_and_the_client_is_told_when_to_come_back() {
    let host = TestHost::default();
    let service = Service::new(&host);
    let client = client!(service);
    let lookup = LookupColonyRequest {
        mesh_id: "m".to_owned(),
    };
    let calls = || {
        [
            block_on(client.register_colony(&colony("m"), call())).err(),
            block_on(client.lookup_colony(&lookup, call())).err(),
            block_on(client.request_relay(&relay("m"), call())).err(),
        ]
    };
    assert_eq!(calls().iter().flatten().count(), 0);
    let counted = service.platform.limiter.counted.take();
    let caller = "198.51.100.7".to_owned();
    let mesh = LeaseKey {
        kind: LeaseKind::Colony.into(),
        id: "m".to_owned(),
        scope: String::new(),
    };
    assert_eq!(
        counted,
        [
            (Limit::RegisterByClient, caller.clone()),
            (Limit::RegisterByLease, lease_key(&mesh, "k")),
            (Limit::LookupByClient, caller.clone()),
            (Limit::RegisterByClient, caller),
        ]
    );
    service.platform.limiter.is_exhausted.set(true);
    let requests = service.platform.objects.requests.get();
    for error in calls() {
        let error = error.unwrap();
        assert_eq!(error.code(), Code::ResourceExhausted);
        assert_eq!(error.headers()["retry-after"], "60");
    }
    assert_eq!(service.platform.objects.requests.get(), requests);
    let health = block_on(client.health(&HealthRequest {}, call()));
    assert_eq!(
        health.unwrap().message.status,
        "ok",
        "Health is not counted"
    );
}

#[test]
fn health_never_fails_and_seldom_asks() {
    let host = TestHost::default();
    let service = Service::new(&host);
    let client = client!(service);
    let colonies = || {
        let health = block_on(client.health(&HealthRequest {}, call()));
        health.unwrap().message.registered_colonies
    };
    block_on(client.register_colony(&colony("m"), call())).unwrap();
    block_on(client.register_colony(&colony("m"), call())).unwrap();
    let births = service.platform.objects.births.take();
    assert_eq!(births.len(), 1, "a renewal is no birth");
    block_on(census::report(&service.platform.objects, &births, &[])).unwrap();
    // Those of a part of the census, and of the sum.
    for _ in 0..2 {
        block_on(service.platform.objects.fire_alarms());
    }
    assert_eq!(service.platform.objects.published.get(), Some(1));
    assert_eq!(colonies(), 1);
    let requests = service.platform.objects.requests.get();
    host.advance_ms(29_999);
    assert_eq!(colonies(), 1);
    assert_eq!(
        service.platform.objects.requests.get(),
        requests,
        "asked again too soon"
    );

    service.platform.objects.are_down.set(true);
    host.advance_ms(1);
    assert_eq!(colonies(), 1, "the last known number");
    assert!(service.platform.objects.requests.get() > requests);
    let requests = service.platform.objects.requests.get();
    assert_eq!(colonies(), 1);
    assert_eq!(
        service.platform.objects.requests.get(),
        requests,
        "asked again too soon"
    );
}

#[test]
fn health_does_not_wait_for_a_slow_registry() {
    let host = TestHost::default();
    // Its timers fire before anything else happens.
    host.timers_fire.set(true);
    let service = Service::new(&host);
    let client = client!(service);
    let health = block_on(client.health(&HealthRequest {}, call())).unwrap();
    assert_eq!(health.message.status, "ok");
}

#[test]
fn a_mesh_stays_with_its_relay_and_meshes_spread() {
    let host = TestHost::default();
    let service = Service::new(&host);
    let client = client!(service);
    let relay_of = |mesh_id: &str| {
        let granted = block_on(client.request_relay(&relay(mesh_id), call()));
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

/// While clients move from an old server which is down: what it is told when it is not is tested end to end.
#[test]
fn an_old_server_that_is_down_fails_no_call_that_the_registry_can_answer() {
    const URL: (&str, &str) = ("LEGACY_DISCOVERY_URL", "http://old.example.org");
    for (awaited, told_at_once) in [("false", 0), ("true", 2)] {
        let host = TestHost::default();
        let service = Service::with(&host, &[URL, ("LEGACY_SYNC_WRITES", awaited)]);
        let legacy = &service.platform.legacy;
        let client = client!(service);
        block_on(client.register_colony(&colony("m"), call())).unwrap();
        assert_eq!(
            legacy.asked.get(),
            told_at_once,
            "before and after granting it"
        );
        assert_eq!(legacy.registered.borrow().len(), 1, "and it is told later");
        let lookup = |mesh_id: &str| {
            let mesh_id = mesh_id.to_owned();
            block_on(client.lookup_colony(&LookupColonyRequest { mesh_id }, call()))
        };
        lookup("m").unwrap();
        for _ in 0..5 {
            let error = lookup("unknown").unwrap_err();
            assert_eq!(error.code(), Code::Unavailable);
            assert!(error.message().contains("not found"), "{error}");
        }
        assert_eq!(
            legacy.asked.get(),
            3,
            "after three failures it is left in peace"
        );
        assert_eq!(legacy.complaints.borrow().len(), 3);
        host.advance_ms(5_000);
        assert!(lookup("unknown").is_err() && lookup("unknown").is_err());
        assert_eq!(
            legacy.asked.get(),
            4,
            "one call finds out whether it is back"
        );
    }
}

#[test]
fn what_was_passed_on_goes_no_further() {
    let host = TestHost::default();
    let service = Service::with(&host, &[("LEGACY_DISCOVERY_URL", "http://old.example.org")]);
    let client = client!(service);
    let passed_on = || {
        let mut options = call();
        let one = http::HeaderValue::from_static("1");
        options.headers.insert(crate::migration::FORWARDED, one);
        options
    };
    block_on(client.register_colony(&colony("m"), passed_on())).unwrap();
    let lookup = LookupColonyRequest {
        mesh_id: "unknown".to_owned(),
    };
    let error = block_on(client.lookup_colony(&lookup, passed_on())).unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let legacy = &service.platform.legacy;
    assert_eq!(
        (legacy.asked.get(), legacy.registered.borrow().len()),
        (0, 0)
    );
}

/// It is moved around for every call. Passed on by value it would double with each function that it passes
/// through.
#[test]
fn the_future_of_a_call_is_small() {
    let host = TestHost::default();
    let service = Service::new(&host);
    let request = http::Request::new(Bytes::new());
    let bytes = size_of_val(&service.answer(request));
    assert!(bytes <= 12 * 1024, "{bytes} bytes");
}

//! What handlers do when the registry cannot be reached. What clients see when it can is tested
//! end to end.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use connect::testing::{Loopback, TestHost};
use connect::{CallOptions, Client, Code, Codec, Error, Limits, Server};
use futures_executor::block_on;

use super::Discovery;
use crate::config::Config;
use crate::isolate::Isolate;
use crate::protos::coral::discovery::v1::{
    DiscoveryServiceClient, HealthRequest, LookupAgentRequest, LookupColonyRequest,
    RegisterAgentRequest, RegisterColonyRequest, RequestRelayRequest, discovery_service,
};
use crate::registry::memory::MemoryObjects;

const RELAYS: &str = r#"[
    {"id": "r1", "host": "a.example.org", "port": 1},
    {"id": "r2", "host": "b.example.org", "port": 2}
]"#;

/// The service on objects in memory.
struct Service<'a> {
    host: &'a TestHost,
    objects: MemoryObjects<'a>,
    isolate: Rc<Isolate>,
}

impl<'a> Service<'a> {
    fn new(host: &'a TestHost) -> Self {
        let var = |name: &str| (name == "CORAL_RELAYS").then(|| RELAYS.to_owned());
        let config = Config::from_vars(var).unwrap();
        Self {
            host,
            objects: MemoryObjects::new(host, config.cleanup_interval_ms),
            isolate: Rc::new(Isolate::new(config, 0)),
        }
    }

    /// Answers a request as the Worker does, each with handlers of its own.
    async fn answer(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        let limits = Limits {
            max_message_bytes: 1_000,
            max_timeout: Duration::from_secs(1),
            gzip_from_bytes: None,
        };
        let handlers = Discovery {
            objects: self.objects.clone(),
            host: self.host,
            isolate: Rc::clone(&self.isolate),
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
    service.objects.are_down.set(true);
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
    let errors: [Error; 5] = block_on(async {
        [
            client
                .register_colony(&colony("m"), call())
                .await
                .unwrap_err(),
            client.register_agent(&agent, call()).await.unwrap_err(),
            client
                .lookup_colony(&LookupColonyRequest { mesh_id }, call())
                .await
                .unwrap_err(),
            client
                .lookup_agent(&lookup_agent, call())
                .await
                .unwrap_err(),
            client.request_relay(&relay("m"), call()).await.unwrap_err(),
        ]
    });
    for error in errors {
        assert_eq!(error.code(), Code::Unavailable);
        assert_eq!(error.message(), "the registry cannot answer now, try again");
    }
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
    block_on(service.objects.fire_alarms());
    assert_eq!(colonies(), 1);
    let requests = service.objects.requests.get();
    host.advance_ms(29_999);
    assert_eq!(colonies(), 1);
    assert_eq!(
        service.objects.requests.get(),
        requests,
        "asked again too soon"
    );

    service.objects.are_down.set(true);
    host.advance_ms(1);
    assert_eq!(colonies(), 1, "the last known number");
    assert!(service.objects.requests.get() > requests);
    let requests = service.objects.requests.get();
    assert_eq!(colonies(), 1);
    assert_eq!(
        service.objects.requests.get(),
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

//! The old server, over HTTP.

use std::net::IpAddr;
use std::rc::Rc;

use connect::{Client, Codec, Host as _};
use connect_worker::{Fetch, WorkerHost};
use worker::Env;

use crate::event::Event;
use crate::isolate::Isolate;
use crate::migration::{self, Legacy, Migration, Outcome, Registration};
use crate::protos::coral::discovery::v1::DiscoveryServiceClient;
use crate::{limits, metrics, telemetry};

/// The old server, as a request reaches it.
#[derive(Debug)]
pub struct WorkerLegacy {
    /// The bindings.
    pub env: Rc<Env>,
    /// What a registration there outlives the request by.
    pub event: Rc<Event>,
    /// The isolate's memory.
    pub isolate: Rc<Isolate>,
}

impl Legacy for WorkerLegacy {
    type Transport = Fetch;

    fn client(&self, url: &str) -> DiscoveryServiceClient<Fetch> {
        client(url)
    }

    fn register_later(&self, registration: Registration, peer: Option<IpAddr>) {
        if let Some(migration) = self.isolate.config.migration.clone() {
            let (env, isolate) = (Rc::clone(&self.env), Rc::clone(&self.isolate));
            self.event
                .wait_until(register(env, isolate, migration, registration, peer));
        }
    }
}

fn client(url: &str) -> DiscoveryServiceClient<Fetch> {
    let transport = Fetch {
        max_answer_bytes: limits::INTERNAL_MESSAGE_BYTES,
    };
    DiscoveryServiceClient(Client::new(
        transport,
        url,
        Codec::Proto,
        limits::INTERNAL_MESSAGE_BYTES,
    ))
}

async fn register(
    env: Rc<Env>,
    isolate: Rc<Isolate>,
    migration: Migration,
    registration: Registration,
    peer: Option<IpAddr>,
) {
    let started_at_ms = WorkerHost.now_ms();
    let Some(options) = migration::call_options(&migration, peer, None, started_at_ms) else {
        return;
    };
    let answer = registration
        .send_later(&client(&migration.url), options, &WorkerHost)
        .await;
    let now_ms = WorkerHost.now_ms();
    let outcome = Outcome::of(&answer);
    isolate.legacy.note(outcome, now_ms);
    let duration_ms = now_ms.saturating_sub(started_at_ms);
    let forward = telemetry::Forward::new(&registration, outcome, answer.err(), duration_ms);
    // One that is down fails at each heartbeat of each colony; a split brain has to be told of each.
    if outcome != Outcome::Failed || isolate.may_warn("the old server fails", now_ms) {
        forward.log(&isolate.config);
    }
    if metrics::is_there(&env) {
        metrics::count_forward(&env, &forward, &isolate.deployed);
    }
}

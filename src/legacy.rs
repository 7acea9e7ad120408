//! The old server, over HTTP.

use std::net::IpAddr;
use std::rc::Rc;

use connect::{Client, Host as _};
use connect_worker::{Fetch, WorkerHost};
use worker::Env;

use crate::event::Event;
use crate::isolate::Isolate;
use crate::migration::{Legacy, Migration, Outcome, Registration, call_options, reason};
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

    fn client(&self, migration: &Migration) -> DiscoveryServiceClient<Fetch> {
        client(migration)
    }

    fn complain(&self, reason: &str) {
        complain(&self.isolate, reason);
    }

    fn register_later(&self, registration: Registration, peer: Option<IpAddr>) {
        if let Some(migration) = self.isolate.config.migration.clone() {
            let (env, isolate) = (Rc::clone(&self.env), Rc::clone(&self.isolate));
            self.event
                .wait_until(register(env, isolate, migration, registration, peer));
        }
    }
}

fn client(migration: &Migration) -> DiscoveryServiceClient<Fetch> {
    let max_answer_bytes = limits::LEGACY_ANSWER_BYTES;
    let transport = Fetch { max_answer_bytes };
    DiscoveryServiceClient(Client::new(
        transport,
        migration.url.as_str(),
        migration.codec,
        max_answer_bytes,
    ))
}

fn complain(isolate: &Isolate, reason: &str) {
    const FAILS: &str = "the old server, LEGACY_DISCOVERY_URL, does not answer";
    if isolate.may_warn(FAILS, WorkerHost.now_ms()) {
        telemetry::log_trouble(&isolate.config, FAILS, reason);
    }
}

async fn register(
    env: Rc<Env>,
    isolate: Rc<Isolate>,
    migration: Migration,
    registration: Registration,
    peer: Option<IpAddr>,
) {
    let started_at_ms = WorkerHost.now_ms();
    let (outcome, error) = match isolate.legacy.set_out() {
        None => (Outcome::Skipped, None),
        Some(_under_way) => {
            let options = call_options(migration.timeout, peer);
            let is_worth_it = || !isolate.legacy.is_at_peace(WorkerHost.now_ms());
            let answer = registration
                .send_later(&client(&migration), options, &WorkerHost, is_worth_it)
                .await;
            (Outcome::of(&answer), answer.err())
        }
    };
    let now_ms = WorkerHost.now_ms();
    isolate.legacy.note(outcome, now_ms);
    let duration_ms = now_ms.saturating_sub(started_at_ms);
    let forward = telemetry::Forward::new(&registration, outcome, duration_ms);
    match (outcome, &error) {
        (Outcome::Failed, Some(error)) => complain(&isolate, &reason(error)),
        // A split brain has to be told of each. What else goes wrong may go wrong with each heartbeat.
        (Outcome::Done | Outcome::SplitBrain, _) => forward.log(&isolate.config),
        _ => {
            if isolate.may_warn("the old server refuses", now_ms) {
                forward.log(&isolate.config);
            }
        }
    }
    if metrics::is_there(&env) {
        metrics::count_forward(&env, &forward, &isolate.deployed);
    }
}

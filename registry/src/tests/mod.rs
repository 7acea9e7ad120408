//! Behaviour of whole objects: what they store, when their alarms fire, and what that costs.

mod census;
mod leases;
mod mailbox;
mod model;

use std::time::Duration;

use connect::UnixMillis;
use connect::testing::TestRuntime;
use futures_executor::block_on;

use crate::Settings;
use crate::census::Census as _;
use crate::object_names::{CENSUS_TOTAL, lease_object};
use crate::proto::register_response::Outcome;
use crate::proto::{
    CensusEntry, CountColoniesRequest, Granted, LeaseKey, LeaseKind, LookupRequest, LookupResponse,
    RegisterRequest, RegistryService as _,
};
use crate::testing::TestObjects;

const TTL_MS: i64 = 1_000;
const CLEANUP_INTERVAL_MS: i64 = 100;

/// The time of the sweep of a lease that was registered at 0.
const SWEPT_AT_MS: i64 = TTL_MS + 1 + CLEANUP_INTERVAL_MS / 2;

/// The time in which the census adds a report up.
const CENSUS_MS: i64 = 2;

const SETTINGS: Settings = Settings {
    cleanup_interval: Duration::from_millis(100),
    hot_lookups: None,
    census_debounce: Duration::from_millis(1),
    publishes_count: true,
};

const fn at(millis: i64) -> UnixMillis {
    UnixMillis::from_millis(millis)
}

fn new_objects() -> TestObjects {
    TestObjects::new(TestRuntime::default(), SETTINGS)
}

fn now_ms(objects: &TestObjects) -> i64 {
    objects.runtime.now().as_millis()
}

fn advance(objects: &TestObjects, millis: i64) {
    objects.runtime.set_now(at(now_ms(objects) + millis));
}

fn key(kind: LeaseKind, id: &str, scope: &str) -> LeaseKey {
    LeaseKey {
        kind: kind.into(),
        id: id.to_owned(),
        scope: scope.to_owned(),
    }
}

fn colony(id: &str) -> LeaseKey {
    key(LeaseKind::Colony, id, "")
}

fn register(objects: &TestObjects, key: &LeaseKey, owner: &str) -> Outcome {
    block_on(register_async(objects, key, owner))
}

async fn register_async(objects: &TestObjects, key: &LeaseKey, owner: &str) -> Outcome {
    let request = RegisterRequest {
        key: Some(key.clone()),
        owner: owner.to_owned(),
        record: owner.into(),
        ttl_ms: TTL_MS,
        takeover: false,
    };
    let object = objects.client(&lease_object(key, None));
    object.register(request).await.unwrap().outcome.unwrap()
}

fn granted(expires_at_ms: i64, is_new: bool) -> Outcome {
    Outcome::Granted(Granted {
        expires_at_ms,
        registered_at_ms: expires_at_ms - TTL_MS,
        rewrite_cache: false,
        is_new,
        notify_mesh_until_ms: 0,
    })
}

fn lookup(objects: &TestObjects, key: &LeaseKey) -> LookupResponse {
    let request = LookupRequest {
        key: Some(key.clone()),
    };
    let object = objects.client(&lease_object(key, None));
    block_on(object.lookup(request)).unwrap()
}

/// Reports a registration as the Worker does after it.
fn report_registration(objects: &TestObjects, mesh_id: &str, at_ms: i64, ttl_ms: i64) {
    let entry = CensusEntry {
        mesh_id: mesh_id.to_owned(),
        at_ms,
        provisional_until_ms: at_ms + ttl_ms + 3 * CLEANUP_INTERVAL_MS,
    };
    block_on(objects.report_colonies(vec![entry], Vec::new())).unwrap();
}

fn count(objects: &TestObjects) -> i64 {
    let total = objects.client(CENSUS_TOTAL);
    let count = block_on(total.count_colonies(CountColoniesRequest {}));
    count.unwrap().colonies
}

/// Lets time pass from alarm to alarm, up to `millis` from now.
fn live_through(objects: &TestObjects, millis: i64) {
    let end = at(now_ms(objects) + millis);
    while let Some(alarm) = objects.next_alarm().filter(|alarm| *alarm <= end) {
        objects.runtime.set_now(alarm.max(objects.runtime.now()));
        block_on(objects.fire_alarms());
    }
    objects.runtime.set_now(end);
}

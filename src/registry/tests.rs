//! What the registry keeps, when it wakes, and what that costs.

use connect::testing::TestHost;
use connect::{CallOptions, Code, Error};
use futures_executor::block_on;
use proptest::prelude::*;

use super::census;
use super::client::Objects as _;
use super::memory::MemoryObjects;
use super::service::Settings;
use super::store::Store as _;
use crate::addressing::{CENSUS_TOTAL, lease_object};
use crate::cache::MAX_AGE_MS;
use crate::protos::coral::registry::v1::register_response::Outcome;
use crate::protos::coral::registry::v1::{
    CensusEntry, Conflict, Granted, LeaseKey, LeaseKind, LookupRequest, LookupResponse,
    RegisterRequest, ReleaseRequest, ReportCountRequest,
};

const TTL_MS: i64 = 1_000;
const CLEANUP_INTERVAL_MS: i64 = 100;

/// When a lease is swept that was registered at 0.
const SWEPT_AT_MS: i64 = TTL_MS + 1 + CLEANUP_INTERVAL_MS / 2;

/// How long the census takes to add up what it has heard.
const CENSUS_MS: i64 = 2;

const SETTINGS: Settings = Settings {
    cleanup_interval_ms: CLEANUP_INTERVAL_MS,
    hot_lookups: None,
    census_debounce_ms: 1,
    publishes: true,
};

fn objects(host: &TestHost) -> MemoryObjects<'_> {
    MemoryObjects::new(host, SETTINGS)
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

fn register(objects: &MemoryObjects<'_>, key: &LeaseKey, owner: &str) -> Outcome {
    block_on(registered(objects, key, owner))
}

async fn registered(objects: &MemoryObjects<'_>, key: &LeaseKey, owner: &str) -> Outcome {
    let request = RegisterRequest {
        key: Some(key.clone()),
        owner: owner.to_owned(),
        record: owner.into(),
        ttl_ms: TTL_MS,
        takeover: false,
    };
    let object = objects.object(&lease_object(key, None));
    let answer = object.register(&request, CallOptions::default()).await;
    answer.unwrap().message.outcome.unwrap()
}

fn granted(expires_at_ms: i64, is_new: bool) -> Outcome {
    Outcome::Granted(Granted {
        expires_at_ms,
        registered_at_ms: expires_at_ms - TTL_MS,
        rewrite_cache: false,
        is_new,
        tell_mesh_until_ms: 0,
    })
}

fn lookup(objects: &MemoryObjects<'_>, key: &LeaseKey) -> LookupResponse {
    let request = LookupRequest {
        key: Some(key.clone()),
    };
    let object = objects.object(&lease_object(key, None));
    let answer = block_on(object.lookup(&request, CallOptions::default()));
    answer.unwrap().message
}

fn release(objects: &MemoryObjects<'_>, key: &LeaseKey) -> bool {
    let request = ReleaseRequest {
        key: Some(key.clone()),
    };
    let object = objects.object(&lease_object(key, None));
    let answer = block_on(object.release(&request, CallOptions::default()));
    answer.unwrap().message.released
}

/// As the Worker does after it has registered a colony, if nothing comes between.
fn tell_birth(objects: &MemoryObjects<'_>, mesh_id: &str, at_ms: i64, ttl_ms: i64) {
    let birth = CensusEntry {
        mesh_id: mesh_id.to_owned(),
        at_ms,
        until_ms: at_ms + ttl_ms + 3 * CLEANUP_INTERVAL_MS,
    };
    block_on(census::report(objects, &[birth], &[])).unwrap();
}

fn count(objects: &MemoryObjects<'_>) -> i64 {
    block_on(census::count(objects)).unwrap()
}

/// Lets time pass to each alarm in turn, up to `milliseconds` from now.
fn live_through(host: &TestHost, objects: &MemoryObjects<'_>, milliseconds: i64) {
    let end_ms = host.now_ms.get() + milliseconds;
    while let Some(at_ms) = objects.next_alarm_ms().filter(|at_ms| *at_ms <= end_ms) {
        host.now_ms.set(at_ms.max(host.now_ms.get()));
        block_on(objects.fire_alarms());
    }
    host.now_ms.set(end_ms);
}

#[test]
fn a_heartbeat_writes_one_row_and_sets_no_alarm() {
    let host = TestHost::default();
    let objects = objects(&host);
    let store = objects.store("colony:m");
    assert_eq!(register(&objects, &colony("m"), "k"), granted(TTL_MS, true));
    assert_eq!(
        (store.rows_written.get(), store.alarm_at_ms.get()),
        (2, Some(SWEPT_AT_MS))
    );
    for restart in [false, true] {
        if restart {
            objects.restart();
        }
        host.advance_ms(100);
        let before = store.rows_written.get();
        register(&objects, &colony("m"), "k");
        assert_eq!(
            store.rows_written.get() - before,
            1,
            "after a restart: {restart}"
        );
        assert_eq!(store.alarm_at_ms.get(), Some(SWEPT_AT_MS));
    }
}

#[test]
fn an_agent_needs_no_census_and_so_no_early_alarm() {
    let host = TestHost::default();
    let objects = objects(&host);
    register(&objects, &key(LeaseKind::Agent, "a", "m"), "k");
    assert_eq!(objects.next_alarm_ms(), Some(SWEPT_AT_MS));
}

#[test]
fn what_has_lapsed_is_gone_within_the_cleanup_interval_and_leaves_nothing() {
    let host = TestHost::default();
    let objects = objects(&host);
    register(&objects, &colony("m"), "k");
    register(&objects, &key(LeaseKind::Agent, "a", "m1"), "k");
    host.advance_ms(50);
    register(&objects, &key(LeaseKind::Agent, "a", "m2"), "k");
    live_through(&host, &objects, TTL_MS + CLEANUP_INTERVAL_MS);
    for name in ["colony:m", "agent:a"] {
        let store = objects.store(name);
        assert_eq!(store.earliest_expiry().unwrap(), None);
        assert_eq!(store.alarm_at_ms.get(), None);
    }
    assert_eq!(count(&objects), 0);
}

/// The runtime gives up on an alarm that fails again and again.
#[test]
fn a_lost_alarm_is_set_again_by_the_next_registration() {
    let host = TestHost::default();
    for restart in [false, true] {
        let objects = objects(&host);
        register(&objects, &colony("m"), "k");
        live_through(&host, &objects, 1);
        objects.store("colony:m").alarm_at_ms.set(None);
        if restart {
            objects.restart();
        }
        host.advance_ms(TTL_MS + 3 * CLEANUP_INTERVAL_MS);
        register(&objects, &colony("m"), "k");
        live_through(&host, &objects, TTL_MS + 2 * CLEANUP_INTERVAL_MS);
        assert_eq!(count(&objects), 0, "after a restart: {restart}");
        assert!(
            !lookup(&objects, &colony("m")).expired,
            "after a restart: {restart}"
        );
    }
}

/// On Cloudflare each heartbeat may find an object that was just started.
#[test]
fn a_lost_alarm_is_set_again_though_every_heartbeat_starts_the_object_anew() {
    let host = TestHost::default();
    let objects = objects(&host);
    register(&objects, &colony("m"), "k");
    live_through(&host, &objects, CENSUS_MS);
    objects.store("colony:m").alarm_at_ms.set(None);
    for _ in 0..20 {
        objects.restart();
        host.advance_ms(TTL_MS / 5);
        register(&objects, &colony("m"), "k");
    }
    live_through(
        &host,
        &objects,
        TTL_MS + 2 * CLEANUP_INTERVAL_MS + CENSUS_MS,
    );
    assert_eq!(count(&objects), 0);
    assert_eq!(objects.next_alarm_ms(), None);
}

#[test]
fn a_late_report_of_a_count_does_not_replace_a_newer_one() {
    let host = TestHost::default();
    let objects = objects(&host);
    let total = objects.object(CENSUS_TOTAL);
    let report = |colonies, at_ms| {
        let report = ReportCountRequest {
            shard: 3,
            colonies,
            at_ms,
        };
        block_on(total.report_count(&report, CallOptions::default())).unwrap();
        live_through(&host, &objects, 10);
    };
    report(1, 100);
    report(0, 200);
    report(1, 100);
    assert_eq!((count(&objects), objects.published.get()), (0, Some(0)));
}

#[test]
fn a_hot_lease_is_rewritten_in_the_cache_when_it_changes_also_after_a_restart() {
    let host = TestHost::default();
    let settings = Settings {
        hot_lookups: std::num::NonZeroU32::new(1),
        ..SETTINGS
    };
    let objects = MemoryObjects::new(&host, settings);
    let write = |record: &str| {
        let request = RegisterRequest {
            key: Some(colony("m")),
            owner: "k".to_owned(),
            record: record.into(),
            ttl_ms: 1_000_000,
            takeover: false,
        };
        let object = objects.object("colony:m");
        let answer = block_on(object.register(&request, CallOptions::default()));
        match answer.unwrap().message.outcome {
            Some(Outcome::Granted(granted)) => granted.rewrite_cache,
            other => panic!("{other:?}"),
        }
    };
    assert!(!write("a") && !write("b"), "nobody has looked it up");
    assert!(lookup(&objects, &colony("m")).fill_cache);
    assert!(!write("b"), "it is the same");
    objects.restart();
    assert!(write("c"));
    host.advance_ms(MAX_AGE_MS - 1);
    assert!(write("d"), "the last rewriting may still be there");
    host.advance_ms(MAX_AGE_MS);
    assert!(!write("e"), "no copy is that old");
}

#[test]
fn a_lookup_writes_nothing() {
    let host = TestHost::default();
    let objects = objects(&host);
    assert_eq!(lookup(&objects, &colony("m")), LookupResponse::default());
    assert_eq!(
        lookup(&objects, &key(LeaseKind::Agent, "m", "")),
        LookupResponse::default()
    );
    assert_eq!(objects.store("colony:m").rows_written.get(), 0);
    assert_eq!(objects.next_alarm_ms(), None);
}

#[test]
fn a_lapsed_lease_is_told_from_none_until_it_is_swept() {
    let host = TestHost::default();
    let objects = objects(&host);
    register(&objects, &colony("m"), "k");
    host.advance_ms(TTL_MS);
    assert_eq!(lookup(&objects, &colony("m")).lease.unwrap().record, b"k");
    host.advance_ms(1);
    let lapsed = lookup(&objects, &colony("m"));
    assert!(lapsed.expired && lapsed.lease.is_none());
}

#[test]
fn releasing_ends_a_live_lease_once() {
    let host = TestHost::default();
    let objects = objects(&host);
    let session = key(LeaseKind::RelaySession, "s", "");
    assert!(!release(&objects, &session));
    register(&objects, &session, "k");
    assert!(release(&objects, &session));
    assert!(!release(&objects, &session));
    assert_eq!(objects.next_alarm_ms(), None);
    register(&objects, &session, "k");
    host.advance_ms(TTL_MS + 1);
    assert!(!release(&objects, &session));
}

#[test]
fn a_key_without_kind_or_id_is_refused() {
    let host = TestHost::default();
    let objects = objects(&host);
    let object = objects.object("colony:");
    for key in [None, Some(LeaseKey::default()), Some(colony(""))] {
        let answer = block_on(object.lookup(&LookupRequest { key }, CallOptions::default()));
        assert_eq!(answer.unwrap_err().code(), Code::InvalidArgument);
    }
}

#[test]
fn a_census_that_is_down_hears_of_it_later() {
    let host = TestHost::default();
    let objects = objects(&host);
    register(&objects, &colony("m"), "k");
    live_through(&host, &objects, TTL_MS / 2);
    register(&objects, &colony("m"), "k");
    objects.are_down.set(true);
    live_through(&host, &objects, TTL_MS / 2 + 2 * CLEANUP_INTERVAL_MS);
    objects.are_down.set(false);
    assert_eq!(count(&objects), 0);
    live_through(&host, &objects, CLEANUP_INTERVAL_MS + CENSUS_MS);
    assert_eq!(count(&objects), 1);
    objects.are_down.set(true);
    live_through(&host, &objects, TTL_MS * 2);
    objects.are_down.set(false);
    assert_eq!(count(&objects), 1, "it died, but the census was never told");
    assert!(
        lookup(&objects, &colony("m")).expired,
        "kept for the report"
    );
    live_through(&host, &objects, CLEANUP_INTERVAL_MS + CENSUS_MS);
    assert_eq!(count(&objects), 0);
    assert_eq!(objects.next_alarm_ms(), None);
}

/// A census in which the colony comes back while its death is being reported.
struct Meanwhile<'a>(&'a MemoryObjects<'a>);

impl census::Census for Meanwhile<'_> {
    async fn report(
        &self,
        births: Vec<CensusEntry>,
        deaths: Vec<CensusEntry>,
    ) -> Result<(), Error> {
        registered(self.0, &colony("m"), "successor").await;
        self.0.report(births, deaths).await
    }

    async fn report_count(&self, count: ReportCountRequest) -> Result<(), Error> {
        self.0.report_count(count).await
    }

    async fn publish(&self, colonies: i64) -> Result<(), Error> {
        self.0.publish(colonies).await
    }
}

#[test]
fn a_colony_that_comes_back_during_the_sweep_is_neither_lost_nor_uncounted() {
    let host = TestHost::default();
    let objects = objects(&host);
    register(&objects, &colony("m"), "k");
    live_through(&host, &objects, 1);
    host.advance_ms(TTL_MS);
    block_on(objects.get("colony:m").sweep(&Meanwhile(&objects))).unwrap();
    assert_eq!(
        lookup(&objects, &colony("m")).lease.unwrap().record,
        b"successor"
    );
    tell_birth(&objects, "m", host.now_ms.get(), TTL_MS);
    live_through(&host, &objects, CENSUS_MS);
    assert_eq!(count(&objects), 1);
}

#[test]
fn a_colony_that_moved_to_another_object_is_not_buried_by_the_old_one() {
    let host = TestHost::default();
    let objects = objects(&host);
    register(&objects, &colony("m"), "k");
    tell_birth(&objects, "m", 0, TTL_MS);
    live_through(&host, &objects, TTL_MS / 2);
    // As after a change of the number of objects.
    let elsewhere = objects.object("shard:7");
    let request = RegisterRequest {
        key: Some(colony("m")),
        owner: "k".to_owned(),
        record: Vec::new(),
        ttl_ms: 10 * TTL_MS,
        takeover: false,
    };
    block_on(elsewhere.register(&request, CallOptions::default())).unwrap();
    tell_birth(&objects, "m", host.now_ms.get(), 10 * TTL_MS);
    live_through(&host, &objects, 2 * TTL_MS);
    assert!(
        lookup(&objects, &colony("m")).lease.is_none(),
        "the old object has buried it"
    );
    assert_eq!(count(&objects), 1);
    live_through(&host, &objects, 10 * TTL_MS);
    assert_eq!(count(&objects), 0);
}

#[test]
fn a_birth_that_is_told_after_the_death_is_not_believed_for_long() {
    let host = TestHost::default();
    let objects = objects(&host);
    register(&objects, &colony("m"), "k");
    live_through(&host, &objects, TTL_MS + 2 * CLEANUP_INTERVAL_MS);
    tell_birth(&objects, "m", 0, TTL_MS);
    live_through(&host, &objects, CENSUS_MS);
    assert_eq!(count(&objects), 1);
    live_through(&host, &objects, 2 * CLEANUP_INTERVAL_MS);
    assert_eq!((count(&objects), objects.next_alarm_ms()), (0, None));
}

#[test]
fn many_births_are_few_reports_and_the_sum_is_published() {
    let host = TestHost::default();
    let objects = objects(&host);
    let before = objects.requests.get();
    let births: Vec<_> = (0..200)
        .map(|id| CensusEntry {
            mesh_id: id.to_string(),
            at_ms: 0,
            until_ms: TTL_MS + 3 * CLEANUP_INTERVAL_MS,
        })
        .collect();
    for birth in &births {
        register(&objects, &colony(&birth.mesh_id), "k");
    }
    block_on(census::report(&objects, &births, &[])).unwrap();
    live_through(&host, &objects, 10);
    // One report to each of 16 parts, and from each of them to the sum.
    assert!(objects.requests.get() - before <= 200 + 16 + 16);
    assert_eq!(objects.published.get(), Some(200));
    assert_eq!(count(&objects), 200);
    objects.restart();
    live_through(&host, &objects, TTL_MS + CLEANUP_INTERVAL_MS + CENSUS_MS);
    assert_eq!((count(&objects), objects.published.get()), (0, Some(0)));
    assert_eq!(objects.next_alarm_ms(), None);
}

/// A step of somebody's life with the registry.
#[derive(Clone, Copy, Debug)]
enum Step {
    Register { colony: u8, owner: u8, told: bool },
    Wait { milliseconds: i64 },
    Restart,
    CensusIsDown(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u8, 0..2_u8, any::<bool>())
            .prop_map(|(colony, owner, told)| Step::Register { colony, owner, told }),
        4 => (0..TTL_MS).prop_map(|milliseconds| Step::Wait { milliseconds }),
        1 => Just(Step::Restart),
        1 => any::<bool>().prop_map(Step::CensusIsDown),
    ]
}

proptest! {
    /// Against the plainest model there is: who holds what until when.
    #[test]
    fn leases_are_exclusive_and_the_census_is_exact_in_the_end(steps in prop::collection::vec(step(), 1..60)) {
        let host = TestHost::default();
        let objects = objects(&host);
        let mut model = [None::<(u8, i64)>; 3];
        for step in steps {
            match step {
                Step::Register { colony: id, owner, told } => {
                    objects.are_down.set(false);
                    let now_ms = host.now_ms.get();
                    let held = &mut model[usize::from(id)];
                    let expected = match *held {
                        Some((holder, expires_at_ms)) if holder != owner && now_ms <= expires_at_ms => {
                            Outcome::Conflict(Conflict { expires_at_ms })
                        }
                        _ => {
                            let is_new = held.is_none_or(|(_, expires_at_ms)| now_ms > expires_at_ms);
                            *held = Some((owner, now_ms + TTL_MS));
                            granted(now_ms + TTL_MS, is_new)
                        }
                    };
                    let outcome = register(&objects, &colony(&id.to_string()), &owner.to_string());
                    prop_assert_eq!(&outcome, &expected);
                    if told && let Outcome::Granted(Granted { is_new: true, .. }) = outcome {
                        tell_birth(&objects, &id.to_string(), now_ms, TTL_MS);
                    }
                }
                Step::Wait { milliseconds } => live_through(&host, &objects, milliseconds),
                Step::Restart => objects.restart(),
                Step::CensusIsDown(is_down) => objects.are_down.set(is_down),
            }
        }
        objects.are_down.set(false);
        live_through(&host, &objects, CLEANUP_INTERVAL_MS + CENSUS_MS);
        let now_ms = host.now_ms.get();
        let alive_at = |moment_ms| {
            let alive = model.iter().flatten().filter(|(_, expires_at_ms)| moment_ms <= *expires_at_ms);
            i64::try_from(alive.count()).unwrap()
        };
        // A death is noticed by a sweep, and those are one interval apart.
        let counted = count(&objects);
        let at_most = alive_at(now_ms - 2 * CLEANUP_INTERVAL_MS - CENSUS_MS);
        prop_assert!(counted <= at_most, "{counted} colonies");
        for (id, held) in model.iter().enumerate() {
            let found = lookup(&objects, &colony(&id.to_string())).lease.map(|lease| lease.record);
            let expected = held.filter(|(_, expires_at_ms)| now_ms <= *expires_at_ms);
            prop_assert_eq!(found, expected.map(|(owner, _)| owner.to_string().into_bytes()));
        }
        // Whatever births it was not told of, it hears of from alarms.
        let alive: Vec<_> = (0..3_u8)
            .zip(model)
            .filter_map(|(id, held)| held.filter(|(_, expires_at_ms)| now_ms <= *expires_at_ms).map(|(owner, _)| (id, owner)))
            .collect();
        for _ in 0..4 {
            for (id, owner) in &alive {
                register(&objects, &colony(&id.to_string()), &owner.to_string());
            }
            live_through(&host, &objects, TTL_MS / 2);
        }
        prop_assert_eq!(count(&objects), i64::try_from(alive.len()).unwrap());
        live_through(&host, &objects, TTL_MS + 2 * CLEANUP_INTERVAL_MS + CENSUS_MS);
        prop_assert_eq!(objects.next_alarm_ms(), None, "something is left");
        prop_assert_eq!(count(&objects), 0);
        prop_assert!(objects.published.get().unwrap_or(0) == 0);
    }
}

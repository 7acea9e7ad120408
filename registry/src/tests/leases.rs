//! Leases: what a call stores, and when the alarm fires.

use connect::Code;

use super::*;
use crate::hot_keys::CACHE_MAX_AGE;
use crate::proto::ReleaseRequest;
use crate::storage::Store as _;

fn release(objects: &TestObjects, key: &LeaseKey) -> bool {
    let request = ReleaseRequest {
        key: Some(key.clone()),
    };
    let object = objects.client(&lease_object(key, None));
    block_on(object.release(request)).unwrap().released
}

#[test]
fn heartbeat_writes_one_row_and_sets_no_alarm() {
    let objects = new_objects();
    let store = objects.store("colony:m");
    assert_eq!(register(&objects, &colony("m"), "k"), granted(TTL_MS, true));
    assert_eq!(
        (store.rows_written.get(), store.alarm_at.get()),
        (2, Some(at(SWEPT_AT_MS)))
    );
    for restart in [false, true] {
        if restart {
            objects.restart();
        }
        advance(&objects, 100);
        let before = store.rows_written.get();
        register(&objects, &colony("m"), "k");
        assert_eq!(
            store.rows_written.get() - before,
            1,
            "after a restart: {restart}"
        );
        assert_eq!(store.alarm_at.get(), Some(at(SWEPT_AT_MS)));
    }
}

#[test]
fn agent_needs_no_census_and_so_no_early_alarm() {
    let objects = new_objects();
    register(&objects, &key(LeaseKind::Agent, "a", "m"), "k");
    assert_eq!(objects.next_alarm(), Some(at(SWEPT_AT_MS)));
}

#[test]
fn expired_lease_is_removed_within_the_cleanup_interval_and_leaves_nothing() {
    let objects = new_objects();
    register(&objects, &colony("m"), "k");
    register(&objects, &key(LeaseKind::Agent, "a", "m1"), "k");
    advance(&objects, 50);
    register(&objects, &key(LeaseKind::Agent, "a", "m2"), "k");
    live_through(&objects, TTL_MS + CLEANUP_INTERVAL_MS);
    for name in ["colony:m", "agent:a"] {
        let store = objects.store(name);
        assert_eq!(store.earliest_expiry().unwrap(), None);
        assert_eq!(store.alarm_at.get(), None);
    }
    assert_eq!(count(&objects), 0);
}

/// The host gives up on an alarm that keeps failing.
#[test]
fn lost_alarm_is_set_again_by_the_next_registration() {
    for restart in [false, true] {
        let objects = new_objects();
        register(&objects, &colony("m"), "k");
        live_through(&objects, 1);
        objects.store("colony:m").alarm_at.set(None);
        if restart {
            objects.restart();
        }
        advance(&objects, TTL_MS + 3 * CLEANUP_INTERVAL_MS);
        register(&objects, &colony("m"), "k");
        live_through(&objects, TTL_MS + 2 * CLEANUP_INTERVAL_MS);
        assert_eq!(count(&objects), 0, "after a restart: {restart}");
        assert!(
            !lookup(&objects, &colony("m")).expired,
            "after a restart: {restart}"
        );
    }
}

/// On Cloudflare each heartbeat may find an object that was just started.
#[test]
fn lost_alarm_is_set_again_though_every_heartbeat_restarts_the_object() {
    let objects = new_objects();
    register(&objects, &colony("m"), "k");
    live_through(&objects, CENSUS_MS);
    objects.store("colony:m").alarm_at.set(None);
    for _ in 0..20 {
        objects.restart();
        advance(&objects, TTL_MS / 5);
        register(&objects, &colony("m"), "k");
    }
    live_through(&objects, TTL_MS + 2 * CLEANUP_INTERVAL_MS + CENSUS_MS);
    assert_eq!(count(&objects), 0);
    assert_eq!(objects.next_alarm(), None);
}

#[test]
fn hot_lease_is_rewritten_in_the_cache_when_it_changes_even_after_a_restart() {
    let settings = Settings {
        hot_lookups: std::num::NonZeroU32::new(1),
        ..SETTINGS
    };
    let objects = TestObjects::new(TestRuntime::default(), settings);
    let write = |record: &str| {
        let request = RegisterRequest {
            key: Some(colony("m")),
            owner: "k".to_owned(),
            record: record.into(),
            ttl_ms: 1_000_000,
            takeover: false,
        };
        let response = block_on(objects.client("colony:m").register(request));
        match response.unwrap().outcome {
            Some(Outcome::Granted(granted)) => granted.rewrite_cache,
            other => panic!("{other:?}"),
        }
    };
    let max_age_ms = i64::try_from(CACHE_MAX_AGE.as_millis()).unwrap();
    assert!(!write("a") && !write("b"), "it was never looked up");
    assert!(lookup(&objects, &colony("m")).fill_cache);
    assert!(!write("b"), "it is unchanged");
    objects.restart();
    assert!(write("c"));
    advance(&objects, max_age_ms - 1);
    assert!(write("d"), "the last rewriting may still be cached");
    advance(&objects, max_age_ms);
    assert!(!write("e"), "no copy is that old");
}

#[test]
fn lookup_writes_nothing() {
    let objects = new_objects();
    assert_eq!(lookup(&objects, &colony("m")), LookupResponse::default());
    let without_mesh = key(LeaseKind::Agent, "m", "");
    assert_eq!(lookup(&objects, &without_mesh), LookupResponse::default());
    assert_eq!(objects.store("colony:m").rows_written.get(), 0);
    assert_eq!(objects.next_alarm(), None);
}

#[test]
fn expired_lease_is_reported_until_swept() {
    let objects = new_objects();
    register(&objects, &colony("m"), "k");
    advance(&objects, TTL_MS);
    assert_eq!(lookup(&objects, &colony("m")).lease.unwrap().record, b"k");
    advance(&objects, 1);
    let expired = lookup(&objects, &colony("m"));
    assert!(expired.expired && expired.lease.is_none());
}

#[test]
fn release_ends_a_live_lease_once() {
    let objects = new_objects();
    let session = key(LeaseKind::RelaySession, "s", "");
    assert!(!release(&objects, &session));
    register(&objects, &session, "k");
    assert!(release(&objects, &session));
    assert!(!release(&objects, &session));
    assert_eq!(objects.next_alarm(), None);
    register(&objects, &session, "k");
    advance(&objects, TTL_MS + 1);
    assert!(!release(&objects, &session));
}

#[test]
fn key_without_kind_or_id_is_refused() {
    let objects = new_objects();
    let object = objects.client("colony:");
    for key in [None, Some(LeaseKey::default()), Some(colony(""))] {
        let response = block_on(object.lookup(LookupRequest { key }));
        assert_eq!(response.unwrap_err().code(), Code::InvalidArgument);
    }
}

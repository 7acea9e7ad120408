//! The census: which reports reach it, and what it counts.

use connect::Error;

use super::*;
use crate::census::Census;
use crate::proto::ReportCountRequest;

#[test]
fn late_report_of_a_count_does_not_replace_a_newer_one() {
    let objects = new_objects();
    let total = objects.client(CENSUS_TOTAL);
    let report = |colonies, at_ms| {
        let report = ReportCountRequest {
            shard: 3,
            colonies,
            at_ms,
        };
        block_on(total.report_count(report)).unwrap();
        live_through(&objects, 10);
    };
    report(1, 100);
    report(0, 200);
    report(1, 100);
    assert_eq!((count(&objects), objects.published.get()), (0, Some(0)));
}

#[test]
fn failed_report_to_the_census_is_repeated() {
    let objects = new_objects();
    register(&objects, &colony("m"), "k");
    live_through(&objects, TTL_MS / 2);
    register(&objects, &colony("m"), "k");
    objects.are_down.set(true);
    live_through(&objects, TTL_MS / 2 + 2 * CLEANUP_INTERVAL_MS);
    objects.are_down.set(false);
    assert_eq!(count(&objects), 0);
    live_through(&objects, CLEANUP_INTERVAL_MS + CENSUS_MS);
    assert_eq!(count(&objects), 1);
    objects.are_down.set(true);
    live_through(&objects, TTL_MS * 2);
    objects.are_down.set(false);
    assert_eq!(count(&objects), 1, "it expired, but the report failed");
    assert!(
        lookup(&objects, &colony("m")).expired,
        "kept for the report"
    );
    live_through(&objects, CLEANUP_INTERVAL_MS + CENSUS_MS);
    assert_eq!(count(&objects), 0);
    assert_eq!(objects.next_alarm(), None);
}

/// A census during whose report the expired colony registers again.
struct RegistersMeanwhile<'a>(&'a TestObjects);

impl Census for RegistersMeanwhile<'_> {
    async fn report_colonies(
        &self,
        registered: Vec<CensusEntry>,
        expired: Vec<CensusEntry>,
    ) -> Result<(), Error> {
        register_async(self.0, &colony("m"), "successor").await;
        self.0.report_colonies(registered, expired).await
    }

    async fn report_count(&self, count: ReportCountRequest) -> Result<(), Error> {
        self.0.report_count(count).await
    }

    async fn publish_count(&self, colonies: i64) -> Result<(), Error> {
        self.0.publish_count(colonies).await
    }
}

#[test]
fn colony_that_registers_during_the_sweep_is_neither_lost_nor_uncounted() {
    let objects = new_objects();
    register(&objects, &colony("m"), "k");
    live_through(&objects, 1);
    advance(&objects, TTL_MS);
    let census = RegistersMeanwhile(&objects);
    block_on(objects.get("colony:m").sweep(&census)).unwrap();
    assert_eq!(
        lookup(&objects, &colony("m")).lease.unwrap().record,
        b"successor"
    );
    report_registration(&objects, "m", now_ms(&objects), TTL_MS);
    live_through(&objects, CENSUS_MS);
    assert_eq!(count(&objects), 1);
}

#[test]
fn colony_that_moved_to_another_object_is_not_removed_by_the_old_one() {
    let objects = new_objects();
    register(&objects, &colony("m"), "k");
    report_registration(&objects, "m", 0, TTL_MS);
    live_through(&objects, TTL_MS / 2);
    // This is the state after a change of the number of shards.
    let elsewhere = objects.client("shard:7");
    let request = RegisterRequest {
        key: Some(colony("m")),
        owner: "k".to_owned(),
        record: Vec::new(),
        ttl_ms: 10 * TTL_MS,
        takeover: false,
    };
    block_on(elsewhere.register(request)).unwrap();
    report_registration(&objects, "m", now_ms(&objects), 10 * TTL_MS);
    live_through(&objects, 2 * TTL_MS);
    assert!(
        lookup(&objects, &colony("m")).lease.is_none(),
        "the old object has swept it"
    );
    assert_eq!(count(&objects), 1);
    live_through(&objects, 10 * TTL_MS);
    assert_eq!(count(&objects), 0);
}

#[test]
fn registration_reported_after_the_expiry_is_counted_only_provisionally() {
    let objects = new_objects();
    register(&objects, &colony("m"), "k");
    live_through(&objects, TTL_MS + 2 * CLEANUP_INTERVAL_MS);
    report_registration(&objects, "m", 0, TTL_MS);
    live_through(&objects, CENSUS_MS);
    assert_eq!(count(&objects), 1);
    live_through(&objects, 2 * CLEANUP_INTERVAL_MS);
    assert_eq!((count(&objects), objects.next_alarm()), (0, None));
}

#[test]
fn many_registrations_are_few_reports_and_the_total_is_published() {
    let objects = new_objects();
    let before = objects.requests.get();
    let registered: Vec<_> = (0..200)
        .map(|id| CensusEntry {
            mesh_id: id.to_string(),
            at_ms: 0,
            provisional_until_ms: TTL_MS + 3 * CLEANUP_INTERVAL_MS,
        })
        .collect();
    for entry in &registered {
        register(&objects, &colony(&entry.mesh_id), "k");
    }
    block_on(objects.report_colonies(registered, Vec::new())).unwrap();
    live_through(&objects, 10);
    // One report to each of 16 shards, and one from each of them to the total.
    assert!(objects.requests.get() - before <= 200 + 16 + 16);
    assert_eq!(objects.published.get(), Some(200));
    assert_eq!(count(&objects), 200);
    objects.restart();
    live_through(&objects, TTL_MS + CLEANUP_INTERVAL_MS + CENSUS_MS);
    assert_eq!((count(&objects), objects.published.get()), (0, Some(0)));
    assert_eq!(objects.next_alarm(), None);
}

//! The census: which colonies are live, in shards, each kept by an object, and one object that adds
//! their counts up.
//!
//! The Worker that registered a colony reports it, together with others, a moment later. That
//! report may be lost, so the first alarm of the lease's own object reports it again, and reports
//! an expired one once it is swept. An alarm for the registration alone would double its cost
//! (`docs/performance.md`). Each shard reports its count to the total a moment later, so that many
//! changes are one report.

use std::time::Duration;

use connect::Error;

use crate::object_names::{CENSUS_SHARDS, census_shard};
use crate::proto::{CensusEntry, ReportColoniesRequest, ReportCountRequest};

/// The time for which changes are batched: short compared with the half minute for which Health
/// caches the count, long enough that a burst is one report.
pub const DEBOUNCE: Duration = Duration::from_secs(2);

/// The entries of one report: with ids of full length, a quarter of a MiB.
const MAX_REPORT_ENTRIES: usize = 1_000;

/// The key in the KV store under which the number of all colonies is published.
pub const PUBLISHED_COUNT: &str = "census:total";

/// The receiver of an object's reports: the census objects, and the KV store.
#[allow(
    async_fn_in_trait,
    reason = "an object runs on one thread: its futures need not be Send"
)]
pub trait Census {
    /// Reports registered and expired colonies. Repeating a report changes nothing.
    ///
    /// # Errors
    /// Fails when some of it may not have arrived: the whole report is then repeated.
    async fn report_colonies(
        &self,
        registered: Vec<CensusEntry>,
        expired: Vec<CensusEntry>,
    ) -> Result<(), Error>;

    /// Reports the count of one shard to the total.
    ///
    /// # Errors
    /// Fails when it may not have arrived.
    async fn report_count(&self, count: ReportCountRequest) -> Result<(), Error>;

    /// Publishes the number of all colonies.
    ///
    /// # Errors
    /// Fails when it may not have been published.
    async fn publish_count(&self, colonies: i64) -> Result<(), Error>;
}

/// Divides a report into messages of bounded size, each with the shard that it is for.
#[must_use]
pub fn reports_by_shard(
    registered: &[CensusEntry],
    expired: &[CensusEntry],
) -> Vec<(u32, ReportColoniesRequest)> {
    let of_shard = |entries: &[CensusEntry], shard| -> Vec<CensusEntry> {
        let entries = entries.iter();
        let entries = entries.filter(|entry| census_shard(&entry.mesh_id) == shard);
        entries.cloned().collect()
    };
    let mut reports = Vec::new();
    for shard in 0..CENSUS_SHARDS {
        for registered in of_shard(registered, shard).chunks(MAX_REPORT_ENTRIES) {
            let report = ReportColoniesRequest {
                registered: registered.to_vec(),
                expired: Vec::new(),
            };
            reports.push((shard, report));
        }
        for expired in of_shard(expired, shard).chunks(MAX_REPORT_ENTRIES) {
            let report = ReportColoniesRequest {
                registered: Vec::new(),
                expired: expired.to_vec(),
            };
            reports.push((shard, report));
        }
    }
    reports
}

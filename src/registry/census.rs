//! The census of colonies: who lives, in parts, each kept by an object, and one that adds them up.
//!
//! A birth is told by the Worker that registered the colony, together with others, a moment later. That may
//! be lost, so the first alarm of the object that holds the lease tells it again; and a death, once it has swept. An alarm for
//! the birth alone would double what a registration costs (`docs/performance.md`). Each part tells its count to the sum a
//! moment later, so that many changes are one report.

use connect::{CallOptions, Error};
use futures_util::future::try_join_all;

use super::client::Objects;
use crate::addressing::{CENSUS_SHARDS, CENSUS_TOTAL, census_object, census_shard};
use crate::protos::coral::registry::v1::{
    CensusEntry, CountCensusRequest, ReportCensusRequest, ReportCountRequest,
};

/// For how long changes are gathered, in milliseconds: short beside the half minute for which Health
/// remembers the number, long enough that a burst is one report.
pub const DEBOUNCE_MS: i64 = 2_000;

/// Entries in one report: with ids of full length they are a quarter of what a message may have.
const REPORT_ENTRIES: usize = 1_000;

/// The key in KV under which the number of all colonies is published.
pub const PUBLISHED: &str = "census:total";

/// Where an object reports to.
#[allow(
    async_fn_in_trait,
    reason = "an isolate has one thread: futures need not be Send"
)]
pub trait Census {
    /// Reports colonies that live now and colonies that live no more. Repeating a report changes
    /// nothing.
    ///
    /// # Errors
    /// When some of it may not have arrived: it is then repeated as a whole.
    async fn report(&self, births: Vec<CensusEntry>, deaths: Vec<CensusEntry>)
    -> Result<(), Error>;

    /// Reports the count of one part.
    ///
    /// # Errors
    /// When it may not have arrived.
    async fn report_count(&self, count: ReportCountRequest) -> Result<(), Error>;

    /// Makes the number of all colonies known to those who only read.
    ///
    /// # Errors
    /// When it may not have become known.
    async fn publish(&self, colonies: i64) -> Result<(), Error>;
}

/// Reports to each part of the census what concerns it, to all of them at once.
///
/// # Errors
/// The first of any part.
pub async fn report(
    objects: &impl Objects,
    births: &[CensusEntry],
    deaths: &[CensusEntry],
) -> Result<(), Error> {
    let reports = (0..CENSUS_SHARDS).flat_map(|shard| {
        let of_shard = |entries: &[CensusEntry]| -> Vec<CensusEntry> {
            let entries = entries.iter();
            let entries = entries.filter(|entry| census_shard(&entry.mesh_id) == shard);
            entries.cloned().collect()
        };
        chunks(&of_shard(births), &of_shard(deaths))
            .into_iter()
            .map(move |report| (shard, report))
    });
    try_join_all(reports.map(|(shard, report)| async move {
        let object = objects.object(&census_object(shard));
        object.report_census(&report, CallOptions::default()).await
    }))
    .await
    .map(drop)
}

/// Reports the count of one part to the sum.
///
/// # Errors
/// Why the sum could not be told.
pub async fn report_count(objects: &impl Objects, count: &ReportCountRequest) -> Result<(), Error> {
    let object = objects.object(CENSUS_TOTAL);
    object.report_count(count, CallOptions::default()).await?;
    Ok(())
}

/// Asks for the number of all colonies.
///
/// # Errors
/// Why the sum could not be asked.
pub async fn count(objects: &impl Objects) -> Result<i64, Error> {
    let object = objects.object(CENSUS_TOTAL);
    let request = CountCensusRequest {};
    let count = object
        .count_census(&request, CallOptions::default())
        .await?;
    Ok(count.message.colonies)
}

/// Reports of bounded size that together say who was born and who died.
fn chunks(births: &[CensusEntry], deaths: &[CensusEntry]) -> Vec<ReportCensusRequest> {
    let births = births
        .chunks(REPORT_ENTRIES)
        .map(|entries| ReportCensusRequest {
            births: entries.to_vec(),
            deaths: Vec::new(),
        });
    let deaths = deaths
        .chunks(REPORT_ENTRIES)
        .map(|entries| ReportCensusRequest {
            births: Vec::new(),
            deaths: entries.to_vec(),
        });
    births.chain(deaths).collect()
}

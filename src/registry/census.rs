//! The census of colonies: who lives, in parts, each kept by an object.

use connect::{CallOptions, Error};
use futures_util::future::try_join_all;

use super::client::Objects;
use crate::addressing::{CENSUS_SHARDS, census_object, census_shard};
use crate::protos::coral::registry::v1::{CountCensusRequest, ReportCensusRequest};

/// Mesh ids in one report: of full length they are a quarter of what a message may have.
const REPORT_IDS: usize = 1_000;

/// Where births and deaths of colonies are reported to.
#[allow(
    async_fn_in_trait,
    reason = "an isolate has one thread: futures need not be Send"
)]
pub trait Census {
    /// Reports mesh ids of colonies that live now and of those that live no more. Repeating a
    /// report changes nothing.
    ///
    /// # Errors
    /// When some of it may not have arrived: it is then repeated as a whole.
    async fn report(&self, born: Vec<String>, died: Vec<String>) -> Result<(), Error>;
}

/// Reports to each part of the census what concerns it, to all of them at once.
///
/// # Errors
/// The first of any part.
pub async fn report(objects: &impl Objects, born: &[String], died: &[String]) -> Result<(), Error> {
    let reports = (0..CENSUS_SHARDS).flat_map(|shard| {
        let of_shard = |ids: &[String]| -> Vec<String> {
            let ids = ids.iter().filter(|id| census_shard(id) == shard);
            ids.cloned().collect()
        };
        chunks(&of_shard(born), &of_shard(died))
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

/// Counts all colonies.
///
/// # Errors
/// The first of any part.
pub async fn count(objects: &impl Objects) -> Result<i64, Error> {
    let counts = (0..CENSUS_SHARDS).map(|shard| async move {
        let object = objects.object(&census_object(shard));
        let request = CountCensusRequest {};
        object.count_census(&request, CallOptions::default()).await
    });
    let counts = try_join_all(counts).await?;
    Ok(counts.iter().map(|count| count.message.colonies).sum())
}

/// Reports of bounded size that together say who was born and who died.
fn chunks(born: &[String], died: &[String]) -> Vec<ReportCensusRequest> {
    let born = born.chunks(REPORT_IDS).map(|ids| ReportCensusRequest {
        born: ids.to_vec(),
        died: Vec::new(),
    });
    let died = died.chunks(REPORT_IDS).map(|ids| ReportCensusRequest {
        born: Vec::new(),
        died: ids.to_vec(),
    });
    born.chain(died).collect()
}

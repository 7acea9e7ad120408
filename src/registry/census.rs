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

/// Who hears of births before the objects' alarms tell them.
pub trait Births {
    /// Tells the census of a birth, after the request was answered. It may be lost.
    fn tell_later(&self, birth: CensusEntry);
}

/// How many births an isolate gathers: what comes beyond that within the time waits for the alarms.
const GATHERED_BIRTHS: usize = 20_000;

/// After how long whoever was about to tell births is taken for lost, in milliseconds: the runtime ends
/// what goes on that long after an answer.
const LOST_AFTER_MS: i64 = 30_000;

/// Births that an isolate has yet to tell.
#[derive(Debug, Default)]
pub struct Gathered {
    births: Vec<CensusEntry>,
    since_ms: i64,
}

impl Gathered {
    /// Adds a birth. Whether who adds it must see to the telling, as nobody else does.
    #[must_use]
    pub fn add(&mut self, birth: CensusEntry, now_ms: i64) -> bool {
        let is_first = self.births.is_empty();
        if self.births.len() < GATHERED_BIRTHS {
            self.births.push(birth);
        }
        let is_due = is_first || now_ms.saturating_sub(self.since_ms) > LOST_AFTER_MS;
        if is_due {
            self.since_ms = now_ms;
        }
        is_due
    }

    /// All of them, to be told.
    #[must_use]
    pub fn take(&mut self) -> Vec<CensusEntry> {
        std::mem::take(&mut self.births)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn birth(mesh_id: &str) -> CensusEntry {
        CensusEntry {
            mesh_id: mesh_id.to_owned(),
            at_ms: 1,
        }
    }

    #[test]
    fn one_of_those_who_gather_tells_for_all() {
        let mut gathered = Gathered::default();
        assert_eq!(
            ["a", "b", "c"].map(|id| gathered.add(birth(id), 5)),
            [true, false, false]
        );
        assert_eq!(gathered.take(), ["a", "b", "c"].map(birth));
        assert!(gathered.add(birth("d"), 6));
    }

    #[test]
    fn another_tells_when_the_first_is_lost_and_what_is_gathered_is_bounded() {
        let mut gathered = Gathered::default();
        let telling = (0..=GATHERED_BIRTHS).filter(|_| gathered.add(birth("a"), 0));
        assert_eq!(telling.count(), 1);
        assert!(!gathered.add(birth("b"), LOST_AFTER_MS));
        assert!(gathered.add(birth("b"), LOST_AFTER_MS + 1));
        assert!(!gathered.add(birth("b"), LOST_AFTER_MS + 2));
        assert_eq!(gathered.take().len(), GATHERED_BIRTHS);
    }
}

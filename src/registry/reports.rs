//! What an isolate tells objects after it has answered: births to the census, agents to their meshes.
//!
//! It is gathered, so that a burst is few reports. It may be lost; whoever hears it also learns by other ways, later.

use std::collections::BTreeMap;

use connect::{CallOptions, Error};
use futures_util::future::try_join_all;

use super::client::Objects;
use crate::protos::coral::registry::v1::{CensusEntry, Member, ReportMembersRequest};

/// Who hears of what happened, after the request was answered.
pub trait Reports {
    /// A colony was born.
    fn birth(&self, birth: CensusEntry);

    /// A mesh has an agent.
    fn member(&self, mesh_id: String, member: Member);
}

/// How much an isolate gathers: what comes beyond that within the time is not reported.
const ENTRIES: usize = 20_000;

/// After how long whoever was about to report is taken for lost, in milliseconds: the runtime ends what
/// goes on that long after an answer.
const LOST_AFTER_MS: i64 = 30_000;

/// How many meshes are told at a time: each is a request, of which the platform allows an event a limited number.
const MESHES: usize = 500;

/// Agents in one report: with ids of full length they are a quarter of what a message may have.
const MEMBERS: usize = 1_000;

/// What an isolate has yet to report.
#[derive(Debug)]
pub struct Gathered<T> {
    entries: Vec<T>,
    since_ms: i64,
}

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            since_ms: 0,
        }
    }
}

impl<T> Gathered<T> {
    /// Adds an entry. Whether who adds it must see to the report, as nobody else does.
    #[must_use]
    pub fn add(&mut self, entry: T, now_ms: i64) -> bool {
        let is_first = self.entries.is_empty();
        if self.entries.len() < ENTRIES {
            self.entries.push(entry);
        }
        let is_due = is_first || now_ms.saturating_sub(self.since_ms) > LOST_AFTER_MS;
        if is_due {
            self.since_ms = now_ms;
        }
        is_due
    }

    /// All of them, to be reported.
    #[must_use]
    pub fn take(&mut self) -> Vec<T> {
        std::mem::take(&mut self.entries)
    }
}

/// Reports to each mesh its agents; `object_of` names the object of a mesh.
///
/// # Errors
/// The first of any mesh.
pub async fn members(
    objects: &impl Objects,
    members: Vec<(String, Member)>,
    object_of: impl Fn(&str) -> String,
) -> Result<(), Error> {
    let mut meshes: BTreeMap<String, Vec<Member>> = BTreeMap::new();
    for (mesh_id, member) in members {
        meshes.entry(mesh_id).or_default().push(member);
    }
    let reports = meshes.iter().take(MESHES).flat_map(|(mesh_id, members)| {
        let name = object_of(mesh_id);
        members.chunks(MEMBERS).map(move |members| {
            let report = ReportMembersRequest {
                mesh_id: mesh_id.clone(),
                members: members.to_vec(),
            };
            (name.clone(), report)
        })
    });
    try_join_all(reports.map(|(name, report)| async move {
        let object = objects.object(&name);
        object.report_members(&report, CallOptions::default()).await
    }))
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_those_who_gather_reports_for_all() {
        let mut gathered = Gathered::default();
        assert_eq!(
            ["a", "b", "c"].map(|entry| gathered.add(entry, 5)),
            [true, false, false]
        );
        assert_eq!(gathered.take(), ["a", "b", "c"]);
        assert!(gathered.add("d", 6));
    }

    #[test]
    fn another_reports_when_the_first_is_lost_and_what_is_gathered_is_bounded() {
        let mut gathered = Gathered::default();
        let due = (0..=ENTRIES).filter(|_| gathered.add((), 0));
        assert_eq!(due.count(), 1);
        assert!(!gathered.add((), LOST_AFTER_MS));
        assert!(gathered.add((), LOST_AFTER_MS + 1));
        assert!(!gathered.add((), LOST_AFTER_MS + 2));
        assert_eq!(gathered.take().len(), ENTRIES);
    }
}

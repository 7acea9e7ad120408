//! What each call uses: the README's table, which the tests compare with what they measure.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result, ensure};

use super::parts;
use crate::project;

/// What one call uses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Count {
    pub(super) object_requests: f64,
    pub(super) rows_read: f64,
    pub(super) rows_written: f64,
    pub(super) kv_reads: f64,
    pub(super) kv_writes: f64,
}

/// All of them.
pub(super) struct Counts(BTreeMap<String, Count>);

/// Rows of the table, by how they are called there.
pub(super) mod rows {
    pub(crate) const REFRESH: &str =
        "`Health`, once in 30 seconds in each isolate, nothing published";
    pub(crate) const BIRTH: &str = "`RegisterColony` for the first time";
    pub(crate) const HEARTBEAT: &str = "`RegisterColony` again: a heartbeat";
    pub(crate) const LOOKUP: &str = "`LookupColony`";
    pub(crate) const CACHED: &str = "`LookupColony` of a hot one, from KV";
    pub(crate) const AGENT: &str = "`RegisterAgent` for the first time";
    pub(crate) const LOOKUP_AGENT: &str = "`LookupAgent`";
    pub(crate) const TICKET: &str = "`CreateBootstrapToken`, the first of an address and a colony";
    pub(crate) const PUBLISH: &str = "`PublishBootstrapRendezvous`";
    pub(crate) const POLL: &str = "`PollBootstrapRendezvous` that waits in vain, however long";
    pub(crate) const POLL_FINDS: &str = "`PollBootstrapRendezvous` that finds it";
    pub(crate) const ACK: &str = "`AckBootstrapRendezvous`";
    pub(crate) const FIRST_ALARM: &str =
        "the first alarm of a colony's lease, with its report to the census";
    pub(crate) const ALARM: &str = "the alarm of a lease that is renewed, once in its time to live";
    pub(crate) const DEATH: &str = "the alarm after a death, with its report to the census";

    /// All that the model uses.
    pub(super) const ALL: [&str; 15] = [
        REFRESH,
        BIRTH,
        HEARTBEAT,
        LOOKUP,
        CACHED,
        AGENT,
        LOOKUP_AGENT,
        TICKET,
        PUBLISH,
        POLL,
        POLL_FINDS,
        ACK,
        FIRST_ALARM,
        ALARM,
        DEATH,
    ];
}

impl Counts {
    /// Those of the README.
    pub(super) fn read() -> Result<Self> {
        let readme = fs::read_to_string(project::root().join("README.md"))?;
        let (_, table, _) = parts(&readme, "costs").context("README.md")?;
        let mut counts = BTreeMap::new();
        // Two lines of heading.
        for line in table.trim().lines().skip(2) {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [name, numbers @ ..] = cells.as_slice() else {
                continue;
            };
            let numbers: Vec<f64> = numbers
                .iter()
                .map(|n| n.parse())
                .collect::<Result<_, _>>()?;
            let [
                object_requests,
                rows_read,
                rows_written,
                kv_reads,
                kv_writes,
            ] = numbers[..]
            else {
                anyhow::bail!("README.md: {line}");
            };
            let count = Count {
                object_requests,
                rows_read,
                rows_written,
                kv_reads,
                kv_writes,
            };
            counts.insert((*name).to_owned(), count);
        }
        for row in rows::ALL {
            ensure!(
                counts.contains_key(row),
                "README.md: the table has no row {row}"
            );
        }
        Ok(Self(counts))
    }

    /// What a row says.
    pub(super) fn of(&self, row: &str) -> Count {
        self.0.get(row).copied().unwrap_or_default()
    }
}

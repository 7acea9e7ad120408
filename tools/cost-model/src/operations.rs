//! Operations of each call: requests to objects, rows and KV operations.
//!
//! `docs/operations.md` lists them in a table. The end-to-end tests measure the operations and fail
//! if the table differs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::marks::section;

/// File that has the table, from the top of the checkout.
const FILE: &str = "docs/operations.md";

/// Operations of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Operations {
    /// Requests to Durable Objects.
    pub object_requests: f64,
    /// Rows that objects read.
    pub rows_read: f64,
    /// Rows that objects write.
    pub rows_written: f64,
    /// Reads from KV.
    pub kv_reads: f64,
    /// Writes to KV.
    pub kv_writes: f64,
}

/// Operations of every call, by the call's name in `docs/operations.md`.
#[derive(Clone, Debug)]
pub struct OperationTable(BTreeMap<String, Operations>);

/// Names of the table's rows that the model uses.
pub(crate) mod row {
    pub(crate) const COUNT_REFRESH: &str =
        "`Health` that refreshes the colony count, every 30 s in an isolate, KV empty";
    pub(crate) const FIRST_REGISTRATION: &str = "`RegisterColony`, first registration";
    pub(crate) const HEARTBEAT: &str = "`RegisterColony`, renewal (heartbeat)";
    pub(crate) const LOOKUP_COLONY: &str = "`LookupColony`, from the object";
    pub(crate) const LOOKUP_FROM_KV: &str = "`LookupColony`, from KV";
    pub(crate) const REGISTER_AGENT: &str = "`RegisterAgent`, first registration";
    pub(crate) const LOOKUP_AGENT: &str = "`LookupAgent`";
    pub(crate) const BOOTSTRAP_TOKEN: &str =
        "`CreateBootstrapToken`, first for a client address and a colony";
    pub(crate) const PUBLISH: &str = "`PublishBootstrapRendezvous`, new record";
    pub(crate) const EMPTY_POLL: &str = "`PollBootstrapRendezvous`, timed out after any wait";
    pub(crate) const POLL: &str = "`PollBootstrapRendezvous`, record found";
    pub(crate) const ACKNOWLEDGE: &str = "`AckBootstrapRendezvous`";
    pub(crate) const FIRST_ALARM: &str =
        "first alarm of a colony's lease, with its report to the census";
    pub(crate) const ALARM: &str = "alarm of a renewed lease, once per TTL";
    pub(crate) const EXPIRY: &str = "alarm after a lease expired, with its report to the census";

    /// All rows that the model uses.
    pub(super) const ALL: [&str; 15] = [
        COUNT_REFRESH,
        FIRST_REGISTRATION,
        HEARTBEAT,
        LOOKUP_COLONY,
        LOOKUP_FROM_KV,
        REGISTER_AGENT,
        LOOKUP_AGENT,
        BOOTSTRAP_TOKEN,
        PUBLISH,
        EMPTY_POLL,
        POLL,
        ACKNOWLEDGE,
        FIRST_ALARM,
        ALARM,
        EXPIRY,
    ];
}

impl OperationTable {
    /// Reads the table of the checkout in `root`.
    ///
    /// # Errors
    /// Fails when there is no such table, or the table lacks a row that the model uses.
    pub fn read(root: &Path) -> Result<Self> {
        let text = fs::read_to_string(root.join(FILE)).context(FILE)?;
        Self::parse(&text).context(FILE)
    }

    /// Parses the table in a Markdown text.
    ///
    /// # Errors
    /// See [`Self::read`].
    pub fn parse(text: &str) -> Result<Self> {
        let (_, table, _) = section(text, "costs")?;
        // The first two lines are the heading.
        let lines = table.trim().lines().skip(2);
        let rows: BTreeMap<String, Operations> = lines.map(parse_row).collect::<Result<_>>()?;
        for name in row::ALL {
            ensure!(
                rows.contains_key(name),
                "the table of operations has no row {name:?}: name it so, or adapt operations.rs"
            );
        }
        Ok(Self(rows))
    }

    /// Returns the operations of a row of [`row`].
    pub(crate) fn get(&self, row: &str) -> Operations {
        self.0.get(row).copied().unwrap_or_default()
    }
}

/// Parses a line of the table: the call's name, then five numbers.
fn parse_row(line: &str) -> Result<(String, Operations)> {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [name, numbers @ ..] = cells.as_slice() else {
        anyhow::bail!("the table has an empty row");
    };
    let numbers: Vec<f64> = numbers
        .iter()
        .map(|cell| cell.parse())
        .collect::<Result<_, _>>()
        .with_context(|| line.to_owned())?;
    let [
        object_requests,
        rows_read,
        rows_written,
        kv_reads,
        kv_writes,
    ] = numbers[..]
    else {
        anyhow::bail!("a row needs five numbers: {line}");
    };
    let operations = Operations {
        object_requests,
        rows_read,
        rows_written,
        kv_reads,
        kv_writes,
    };
    Ok(((*name).to_owned(), operations))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_has_five_numbers() {
        let (name, operations) = parse_row("| `LookupAgent` | 1 | 2 | 3 | 4 | 5 |").unwrap();
        assert_eq!(name, "`LookupAgent`");
        assert_eq!(operations.object_requests, 1.0);
        assert_eq!(operations.kv_writes, 5.0);
        for line in ["| x | 1 | 2 |", "| x | 1 | 2 | 3 | 4 | many |"] {
            assert!(parse_row(line).is_err(), "{line}");
        }
    }

    #[test]
    fn missing_row_is_named() {
        let error = OperationTable::parse("<!-- costs -->\n<!-- /costs -->").unwrap_err();
        assert!(error.to_string().contains(row::COUNT_REFRESH), "{error}");
    }
}

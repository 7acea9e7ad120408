//! What an isolate remembers between requests: plain data, never a promise of a request.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use connect::Error;

use crate::cache::Memo;
use crate::config::Config;
use crate::migration::Reachability;
use crate::protos::coral::registry::v1::{CensusEntry, Member};
use crate::registry::reports::Gathered;

/// The memory of an isolate.
#[derive(Debug)]
pub struct Isolate {
    /// The configuration: it cannot change while the isolate lives. The default one if it is wrong.
    pub config: Config,
    /// What is wrong with the configuration.
    pub fault: Option<Error>,
    /// The deployed version, as the platform calls it, or else as Health does.
    pub deployed: String,
    /// When the isolate served its first request. Before that its clock stands still.
    pub started_at_ms: i64,
    /// The number of colonies that was counted last.
    pub colonies: Cell<Option<Counted>>,
    /// Hot leases.
    pub memo: Memo,
    /// Births that the census is not told of yet.
    pub births: RefCell<Gathered<CensusEntry>>,
    /// Agents that their meshes are not told of yet.
    pub members: RefCell<Gathered<(String, Member)>>,
    /// Whether the old server is worth asking.
    pub legacy: Reachability,
    /// How many steps of growth of the module's memory were logged.
    pub memory_steps: Cell<usize>,
    /// When each kind of trouble was logged last.
    warned_at_ms: RefCell<BTreeMap<&'static str, i64>>,
    /// What was logged and needs to be only once.
    noted: RefCell<Vec<&'static str>>,
}

/// A number of colonies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How many there were.
    pub colonies: i64,
    /// When that was asked.
    pub at_ms: i64,
}

/// How often one kind of trouble is logged at the most: what fails at each request would fill the log.
const WARN_INTERVAL_MS: i64 = 60_000;

impl Isolate {
    /// The memory of one that starts now and is configured by what `var` returns.
    #[must_use]
    pub fn new(var: impl Fn(&str) -> Option<String>, now_ms: i64) -> Self {
        let (config, fault) = match Config::from_vars(&var) {
            Ok(config) => (config, None),
            Err(fault) => (Config::fallback(&var), Some(fault)),
        };
        Self {
            deployed: config.version.clone(),
            config,
            fault,
            started_at_ms: now_ms,
            colonies: Cell::new(None),
            memo: Memo::default(),
            births: RefCell::default(),
            members: RefCell::default(),
            legacy: Reachability::default(),
            memory_steps: Cell::new(0),
            warned_at_ms: RefCell::default(),
            noted: RefCell::default(),
        }
    }

    /// `ok`, or `degraded` when the configuration is wrong.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self.fault {
            None => "ok",
            Some(_) => "degraded",
        }
    }

    /// Whether this is noted for the first time.
    #[must_use]
    pub fn may_note(&self, what: &'static str) -> bool {
        let mut noted = self.noted.borrow_mut();
        let is_new = !noted.contains(&what);
        if is_new {
            noted.push(what);
        }
        is_new
    }

    /// Whether it is time to log that kind of trouble again.
    #[must_use]
    pub fn may_warn(&self, of: &'static str, now_ms: i64) -> bool {
        let mut warned_at_ms = self.warned_at_ms.borrow_mut();
        let last_ms = warned_at_ms.get(of).copied();
        let is_due = last_ms.is_none_or(|last_ms| now_ms - last_ms >= WARN_INTERVAL_MS);
        if is_due {
            warned_at_ms.insert(of, now_ms);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_trouble_is_logged_once_in_a_while() {
        let isolate = Isolate::new(|_| None, 0);
        let warned = [0, 1, 59_999, 60_000, 60_001].map(|now_ms| isolate.may_warn("kv", now_ms));
        assert_eq!(warned, [true, false, false, true, false]);
        assert!(isolate.may_warn("another", 1));
        assert!(isolate.may_note("limit") && !isolate.may_note("limit"));
    }
}

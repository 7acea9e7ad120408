//! What an isolate remembers between requests: plain data, never a promise of a request.

use std::cell::Cell;

use crate::config::Config;

/// The memory of an isolate.
#[derive(Debug)]
pub struct Isolate {
    /// The configuration: it cannot change while the isolate lives.
    pub config: Config,
    /// When the isolate served its first request. Before that its clock stands still.
    pub started_at_ms: i64,
    /// The number of colonies that was counted last.
    pub colonies: Cell<Option<Counted>>,
}

impl Isolate {
    /// The memory of one that starts now.
    #[must_use]
    pub fn new(config: Config, now_ms: i64) -> Self {
        Self {
            config,
            started_at_ms: now_ms,
            colonies: Cell::new(None),
        }
    }
}

/// A number of colonies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How many there were.
    pub colonies: i64,
    /// When that was asked.
    pub at_ms: i64,
}

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

/// A number of colonies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How many there were.
    pub colonies: i64,
    /// When that was asked.
    pub at_ms: i64,
}

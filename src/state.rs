//! The state that a host keeps between requests: plain data, never a future of a request. On
//! Workers it lives as long as the isolate.

use std::cell::Cell;
use std::rc::Rc;

use connect::{Error, UnixMillis};

use crate::cache::MemoryCache;
use crate::config::Config;
use crate::migration::CircuitBreaker;
use crate::notifications::Batches;
use crate::telemetry::{Log, LogLevel, Sink};

/// The state between requests.
#[derive(Debug)]
pub struct AppState {
    /// The configuration, which cannot change while the state lives. The default one if the
    /// variables are wrong.
    pub config: Config,
    /// The error of wrong variables.
    pub config_error: Option<Error>,
    /// The deployed version as the platform names it, or else as Health does.
    pub version_id: String,
    /// The time of the first request. On Workers the clock stands still before it.
    pub started_at: UnixMillis,
    /// The last known colony count.
    pub colony_count: Cell<Option<ColonyCount>>,
    /// The memory cache of hot leases.
    pub memory_cache: MemoryCache,
    /// Notifications that were not sent yet.
    pub batches: Rc<Batches>,
    /// The circuit breaker of the legacy server.
    pub legacy: CircuitBreaker,
    /// The log.
    pub log: Rc<Log>,
}

/// A colony count with its age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColonyCount {
    /// The number of colonies.
    pub colonies: i64,
    /// The time at which it was requested.
    pub at: UnixMillis,
}

impl AppState {
    /// Returns the state of a host that starts now. `var` reads a variable; an error in the
    /// variables is logged, and every call but Health fails with it.
    #[must_use]
    pub fn new(
        var: impl Fn(&str) -> Option<String>,
        version_id: Option<String>,
        sink: Box<dyn Sink>,
        now: UnixMillis,
    ) -> Self {
        let (config, config_error) = match Config::from_vars(&var) {
            Ok(config) => (config, None),
            Err(error) => (Config::fallback(&var), Some(error)),
        };
        let log = Log::new(config.log_level, config.log_format, sink);
        if let Some(error) = &config_error {
            let cause = error.cause().unwrap_or_default();
            log.warning(LogLevel::Error, error.message(), cause);
        }
        Self {
            version_id: version_id.unwrap_or_else(|| config.version.clone()),
            config,
            config_error,
            started_at: now,
            colony_count: Cell::new(None),
            memory_cache: MemoryCache::default(),
            batches: Rc::default(),
            legacy: CircuitBreaker::default(),
            log: Rc::new(log),
        }
    }

    /// Returns the status that Health reports: `ok`, or `degraded` when the variables are wrong.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self.config_error {
            None => "ok",
            Some(_) => "degraded",
        }
    }
}

//! What happens behind requests: sweeps, and registrations at an old server.

use connect::Error;
use serde::Serialize;

use super::{hash, log};
use crate::addressing::{CLIENT, Role, SHARD, role};
use crate::config::{Config, LogLevel};
use crate::migration::{Outcome, Registration};
use crate::registry::store::Cost;

/// A registration at the old server after the answer, as it is logged and counted.
#[derive(Debug, Serialize)]
pub struct Forward {
    level: LogLevel,
    /// The method.
    pub forward: &'static str,
    /// What became of it.
    pub legacy: &'static str,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// A hash of the mesh id, as requests have it.
    pub mesh: String,
}

impl Forward {
    /// The entry of a registration that took so long.
    #[must_use]
    pub fn new(registration: &Registration, outcome: Outcome, duration_ms: i64) -> Self {
        Self {
            level: match outcome {
                Outcome::Done => LogLevel::Debug,
                _ => LogLevel::Warn,
            },
            forward: registration.method(),
            legacy: outcome.as_str(),
            duration_ms,
            mesh: hash(registration.mesh_id()),
        }
    }

    /// Writes it to the log.
    pub fn log(&self, config: &Config) {
        log(config, self.level, self);
    }
}

/// A sweep, as it is logged.
#[derive(Debug, Serialize)]
struct SweepEntry {
    level: LogLevel,
    sweep: String,
    rows_read: u64,
    rows_written: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

/// Logs a sweep of the object of that name, and why it failed if it did.
pub fn log_sweep(config: &Config, object: &str, cost: Cost, error: Option<&Error>) {
    let level = match error {
        Some(_) => LogLevel::Warn,
        None => LogLevel::Debug,
    };
    let entry = SweepEntry {
        level,
        sweep: label(object),
        rows_read: cost.rows_read,
        rows_written: cost.rows_written,
        cause: error.map(|error| {
            let cause = error.cause().unwrap_or_default();
            format!("{error} {cause}")
        }),
    };
    log(config, level, &entry);
}

/// An object's name without the id in it: `colony:` and the same hash as requests have.
fn label(object: &str) -> String {
    match (role(object), object.split_once(':')) {
        // A hash of an address could be tried out.
        (Role::Leases, Some((CLIENT, _))) => CLIENT.to_owned(),
        (Role::Leases, Some((kind, id))) if kind != SHARD => format!("{kind}:{}", hash(id)),
        _ => object.to_owned(),
    }
}

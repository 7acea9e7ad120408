//! The log entry of a registration that was mirrored to the legacy server.

use serde::Serialize;

use super::{Log, LogLevel, id_hash};
use crate::migration::{LegacyOutcome, Registration};

/// A write to the legacy server after the response, as it is logged and counted.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename = "legacy_write")]
pub struct LegacyWriteEntry {
    level: LogLevel,
    /// The method.
    pub method: &'static str,
    /// The name of its data point.
    #[serde(skip)]
    pub metric: &'static str,
    /// The outcome.
    pub legacy_outcome: &'static str,
    /// The duration in milliseconds.
    pub duration_ms: i64,
    /// The hash of the mesh id, as in request entries.
    pub mesh_hash: String,
}

impl LegacyWriteEntry {
    /// Returns the entry of a registration that was mirrored.
    #[must_use]
    pub fn new(registration: &Registration, outcome: LegacyOutcome, duration_ms: i64) -> Self {
        Self {
            level: match outcome {
                LegacyOutcome::Ok => LogLevel::Debug,
                _ => LogLevel::Warn,
            },
            method: registration.method(),
            metric: registration.metric(),
            legacy_outcome: outcome.as_str(),
            duration_ms,
            mesh_hash: id_hash(registration.mesh_id()),
        }
    }

    /// Writes the entry to the log.
    pub fn write(&self, log: &Log) {
        log.write(self.level, self);
    }
}

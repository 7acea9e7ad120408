//! The log entry of a sweep.

use connect::Error;
use coral_registry::object_names::{CLIENT_PREFIX, Role, SHARD_PREFIX, role};
use coral_registry::proto::Cost;
use serde::Serialize;

use super::{Log, LogLevel, id_hash};

/// A sweep, as it is logged.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename = "sweep")]
struct SweepEntry {
    level: LogLevel,
    object: String,
    rows_read: i64,
    rows_written: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

/// Logs a sweep of the object of that name, with its error if it failed.
pub fn log_sweep(log: &Log, object: &str, cost: Cost, error: Option<&Error>) {
    let level = match error {
        Some(_) => LogLevel::Warn,
        None => LogLevel::Debug,
    };
    let entry = SweepEntry {
        level,
        object: hashed_name(object),
        rows_read: cost.rows_read,
        rows_written: cost.rows_written,
        cause: error.map(Error::log_text),
    };
    log.write(level, &entry);
}

/// Returns an object's name with the hash of the id in it, as request entries have it.
fn hashed_name(object: &str) -> String {
    match (role(object), object.split_once(':')) {
        // The hash of an address could be found by trying all addresses.
        (Role::Leases, Some((CLIENT_PREFIX, _))) => CLIENT_PREFIX.to_owned(),
        (Role::Leases, Some((kind, id))) if kind != SHARD_PREFIX => {
            format!("{kind}:{}", id_hash(id))
        }
        _ => object.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logged_name_of_an_object_holds_no_id_and_no_address() {
        assert_eq!(hashed_name("colony:m"), format!("colony:{}", id_hash("m")));
        assert_eq!(hashed_name("client:192.0.2.1"), "client");
        for public in ["shard:7", "census:3", "census:total"] {
            assert_eq!(hashed_name(public), public);
        }
    }
}

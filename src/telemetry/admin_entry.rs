//! The log entry of a call of the admin service.

use std::net::IpAddr;

use bytes::Bytes;
use connect::{CallInfo, Code};
use serde::Serialize;

use super::{Log, LogLevel, RequestUsage, id_hash};

/// The characters of a method's name that are logged: more than any method has.
const MAX_METHOD_CHARS: usize = 64;

/// A call of the admin service, logged beside its request entry, whatever the level.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename = "admin")]
pub struct AdminEntry {
    level: LogLevel,
    method: String,
    status: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    code: &'static str,
    mesh_hash: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    target: String,
    caller: String,
    ray: String,
}

impl AdminEntry {
    /// Returns the entry of a call to `path`, whether the caller was authenticated or not.
    #[must_use]
    pub fn new(
        path: &str,
        (caller, ray): (Option<IpAddr>, &str),
        response: &http::Response<Bytes>,
        usage: &RequestUsage,
    ) -> Self {
        let call = response.extensions().get::<CallInfo>();
        let method = path.rsplit('/').next().unwrap_or_default();
        Self {
            level: LogLevel::Warn,
            method: method.chars().take(MAX_METHOD_CHARS).collect(),
            status: response.status().as_u16(),
            code: call.and_then(|call| call.code).map_or("", Code::as_str),
            mesh_hash: id_hash(&usage.mesh_id()),
            target: hashed_target(&usage.target()),
            caller: caller.map(|caller| caller.to_string()).unwrap_or_default(),
            ray: ray.to_owned(),
        }
    }

    /// Writes the entry to the log, whatever the log's level.
    pub fn write(&self, log: &Log) {
        log.write(LogLevel::Error, self);
    }
}

/// Returns the kind of a lease and a hash of its id.
fn hashed_target(target: &str) -> String {
    let (kind, id) = target.split_once(' ').unwrap_or_default();
    format!("{kind} {}", id_hash(id)).trim().to_owned()
}

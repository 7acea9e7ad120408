//! What is asked of the service for operators.

use connect::{Code, Report};
use serde::Serialize;

use super::{hash, log};
use crate::config::{Config, LogLevel};
use crate::meter::Meter;

/// An operator's request, as it is logged: beside its entry, and whatever the level.
#[derive(Serialize)]
struct Audit {
    level: LogLevel,
    audit: String,
    status: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    code: &'static str,
    mesh: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    target: String,
    caller: String,
    ray: String,
}

/// Logs what an operator asked for at a path, or somebody who is none, and what became of it.
pub fn log_audit(
    config: &Config,
    path: &str,
    answer: &http::Response<bytes::Bytes>,
    meter: &Meter,
    (caller, ray): (Option<std::net::IpAddr>, &str),
) {
    let report = answer.extensions().get::<Report>();
    let code = report.and_then(|report| report.code);
    let method = path.rsplit('/').next().unwrap_or_default();
    let entry = Audit {
        level: LogLevel::Warn,
        audit: method.chars().take(AUDITED_CHARS).collect(),
        status: answer.status().as_u16(),
        code: code.map_or("", Code::as_str),
        mesh: hash(&meter.mesh_id()),
        target: target(&meter.target()),
        caller: caller.map(|caller| caller.to_string()).unwrap_or_default(),
        ray: ray.to_owned(),
    };
    log(config, LogLevel::Error, &entry);
}

/// The kind of a lease, and a hash of its id.
fn target(target: &str) -> String {
    let (kind, id) = target.split_once(' ').unwrap_or_default();
    format!("{kind} {}", hash(id)).trim().to_owned()
}

/// Of a method's name: longer than any there is.
const AUDITED_CHARS: usize = 64;

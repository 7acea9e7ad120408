//! The log: one entry for each request and each sweep, and for trouble that nobody is told of.
//!
//! Entries hold no key, no metadata and no address, and of ids only a hash. Only what is asked of the service for operators is logged
//! with the caller's address.

mod audit;
mod behind;

use connect::{Code, Codec, Error, Report};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use wasm_bindgen::JsValue;
use worker::js_sys::JSON;

pub use self::audit::log_audit;
pub use self::behind::{Forward, log_sweep};
use crate::config::{Config, LogFormat, LogLevel};
use crate::isolate::Isolate;
use crate::meter::{Meter, Usage};
use crate::migration::Outcome;
use crate::relays::Location;

/// A request, as it is logged and counted.
#[derive(Debug, Serialize)]
pub struct Entry {
    level: LogLevel,
    /// The method; empty where the path names none.
    pub rpc: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// `proto` or `json`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub codec: &'static str,
    /// The error's code.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// How long it took, in milliseconds. On Workers the clock only moves while something is waited for.
    pub duration_ms: i64,
    /// How much of that was spent waiting for objects.
    pub object_ms: i64,
    /// Bytes that were announced, as sent.
    pub bytes_in: u64,
    /// Bytes of the answer, as sent.
    pub bytes_out: usize,
    /// Where a lookup's answer came from.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub answered_by: &'static str,
    /// What became of a call to the old server.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub legacy: &'static str,
    /// How much of the time was spent waiting for it.
    #[serde(skip_serializing_if = "is_zero")]
    pub legacy_ms: i64,
    object_requests: u32,
    rows_read: u64,
    rows_written: u64,
    kv_reads: u32,
    kv_writes: u32,
    /// A hash of the mesh id: the same mesh has the same.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mesh: String,
    /// `CF-IPCountry`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub country: String,
    /// Cloudflare's data centre.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub colo: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    ray: String,
    environment: String,
    /// The deployed version.
    pub version: String,
}

/// What is known of a request beside its answer.
#[derive(Debug, Default)]
pub struct Request {
    /// When it came.
    pub started_at_ms: i64,
    /// `CF-Ray`: Cloudflare's id of it, by which an operator finds all about it.
    pub ray: String,
    /// Where the caller is.
    pub location: Location,
    /// `Content-Length`
    pub bytes_in: u64,
}

impl Entry {
    /// The entry of a request that was answered at `now_ms`.
    #[must_use]
    pub fn new(
        request: Request,
        answer: &http::Response<bytes::Bytes>,
        meter: &Meter,
        isolate: &Isolate,
        now_ms: i64,
    ) -> Self {
        let report = answer.extensions().get::<Report>();
        let code = report.and_then(|report| report.code);
        let codec = report.and_then(|report| report.codec);
        let Usage {
            object_requests,
            object_ms,
            rows_read,
            rows_written,
            kv_reads,
            kv_writes,
            answered_by,
            legacy,
            legacy_ms,
        } = meter.usage();
        Self {
            level: level(answer, meter),
            rpc: report
                .and_then(|report| report.method)
                .map_or("", |method| method.name),
            status: answer.status().as_u16(),
            codec: match codec {
                Some(Codec::Proto) => "proto",
                Some(Codec::Json) => "json",
                None => "",
            },
            code: code.map_or("", Code::as_str),
            cause: report.and_then(|report| report.cause.clone()),
            duration_ms: now_ms.saturating_sub(request.started_at_ms),
            object_ms,
            bytes_in: request.bytes_in,
            bytes_out: answer.body().len(),
            answered_by: answered_by.map_or("", crate::meter::AnsweredBy::as_str),
            legacy: legacy.map_or("", Outcome::as_str),
            legacy_ms,
            object_requests,
            rows_read,
            rows_written,
            kv_reads,
            kv_writes,
            mesh: hash(&meter.mesh_id()),
            country: request.location.country.unwrap_or_default(),
            colo: request.location.colo.unwrap_or_default(),
            ray: request.ray,
            environment: isolate.config.environment.clone(),
            version: isolate.deployed.clone(),
        }
    }

    /// Writes it to the log.
    pub fn log(&self, config: &Config) {
        log(config, self.level, self);
    }
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Whether the log has an entry for that answer. Making one that nobody reads would cost a tenth of a lookup.
#[must_use]
pub fn logs(config: &Config, answer: &http::Response<bytes::Bytes>, meter: &Meter) -> bool {
    level(answer, meter) >= config.log_level
}

/// Errors of ours alone are errors to an operator's alerts: deadlines are the caller's choice, and of an old server that does not
/// answer the log tells once a minute.
fn level(answer: &http::Response<bytes::Bytes>, meter: &Meter) -> LogLevel {
    let code = answer
        .extensions()
        .get::<Report>()
        .and_then(|report| report.code);
    let is_callers = matches!(code, Some(Code::Unimplemented | Code::DeadlineExceeded));
    let legacy = meter.usage().legacy;
    if legacy == Some(Outcome::SplitBrain) {
        return LogLevel::Warn;
    }
    let is_legacys = matches!(
        legacy,
        Some(Outcome::Failed | Outcome::Skipped | Outcome::Hurried)
    );
    if answer.status().is_server_error() && !is_callers && !is_legacys {
        LogLevel::Error
    } else {
        LogLevel::Info
    }
}

/// The first 64 bits: enough to tell meshes apart. Who guesses an id can see that it is this one; nobody
/// can read one out of it.
fn hash(mesh_id: &str) -> String {
    if mesh_id.is_empty() {
        return String::new();
    }
    let digest = format!("{:x}", Sha256::digest(mesh_id));
    digest.chars().take(16).collect()
}

/// Logs what is wrong with the configuration, with the value that is wrong.
pub fn log_fault(config: &Config, fault: &Error) {
    let level = LogLevel::Error;
    let entry = Trouble {
        level,
        trouble: fault.message(),
        cause: fault.cause().unwrap_or_default(),
    };
    log(config, level, &entry);
}

#[derive(Serialize)]
struct Trouble<'a> {
    level: LogLevel,
    trouble: &'a str,
    cause: &'a str,
}

/// Logs what went wrong behind an answer that is right all the same.
pub fn log_trouble(config: &Config, trouble: &str, cause: &str) {
    let level = LogLevel::Warn;
    let entry = Trouble {
        level,
        trouble,
        cause,
    };
    log(config, level, &entry);
}

/// Logs, at most once a minute, that colonies get no keys or agents no tickets for want of a key.
pub fn log_no_key(isolate: &Isolate, now_ms: i64) {
    const WITHOUT: &str =
        "DISCOVERY_SIGNING_KEY is not set: no tickets are issued, and agents cannot bootstrap";
    if isolate.may_warn(WITHOUT, now_ms) {
        let level = LogLevel::Error;
        let entry = Trouble {
            level,
            trouble: WITHOUT,
            cause: "somebody asked for a ticket, or for the keys that tickets are checked by",
        };
        log(&isolate.config, level, &entry);
    }
}

/// Notes what an operator may want to know once.
pub fn log_note(config: &Config, note: &str) {
    #[derive(Serialize)]
    struct Note<'a> {
        level: LogLevel,
        note: &'a str,
    }
    let level = LogLevel::Info;
    let entry = Note { level, note };
    log(config, level, &entry);
}

/// Warns each time that the module's memory has reached another step, counted in an isolate that may have 128 MB of it.
pub fn log_memory(isolate: &Isolate) {
    const STEP_BYTES: usize = 16 * 1024 * 1024;
    let steps = memory_bytes() / STEP_BYTES;
    if steps > isolate.memory_steps.get() {
        isolate.memory_steps.set(steps);
        let cause = format!("{} MiB", memory_bytes() / 1024 / 1024);
        log_trouble(&isolate.config, "the module's memory has grown", &cause);
    }
}

#[cfg(target_arch = "wasm32")]
fn memory_bytes() -> usize {
    const PAGE_BYTES: usize = 64 * 1024;
    core::arch::wasm32::memory_size::<0>() * PAGE_BYTES
}

#[cfg(not(target_arch = "wasm32"))]
fn memory_bytes() -> usize {
    0
}

fn log(config: &Config, level: LogLevel, entry: &impl Serialize) {
    if level < config.log_level {
        return;
    }
    let text = serde_json::to_string(entry).unwrap_or_default();
    let line = JsValue::from_str(&text);
    let entry = match config.log_format {
        LogFormat::Line => line,
        // Parsed by the runtime: building the object member by member would cross over to it for each.
        LogFormat::Object => JSON::parse(&text).unwrap_or(line),
    };
    match level {
        LogLevel::Debug => web_sys::console::debug_1(&entry),
        LogLevel::Info => web_sys::console::log_1(&entry),
        LogLevel::Warn => web_sys::console::warn_1(&entry),
        LogLevel::Error => web_sys::console::error_1(&entry),
    }
}

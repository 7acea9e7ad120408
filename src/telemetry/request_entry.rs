//! The log entry of a request.

use std::rc::Rc;

use bytes::Bytes;
use connect::{CallInfo, Code, Codec, UnixMillis};
use serde::Serialize;

use super::{Log, LogLevel, LookupSource, RequestUsage, UsageCounts, id_hash};
use crate::domain::client::ClientInfo;
use crate::migration::LegacyOutcome;

/// A request, as it is logged and counted.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename = "request")]
pub struct RequestEntry {
    level: LogLevel,
    /// The method; empty where the path names none.
    pub method: &'static str,
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
    /// The duration in milliseconds. On Workers the clock moves only while something is awaited.
    pub duration_ms: i64,
    /// The part of the duration that was spent waiting for objects.
    pub object_ms: i64,
    /// The announced bytes of the request's body, as sent.
    pub bytes_in: u64,
    /// The bytes of the response's body, as sent.
    pub bytes_out: usize,
    /// The source of a lookup's response.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub lookup_source: &'static str,
    /// The outcome of a call to the legacy server.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub legacy_outcome: &'static str,
    /// The part of the duration that was spent waiting for it.
    #[serde(skip_serializing_if = "is_zero")]
    pub legacy_ms: i64,
    object_requests: u32,
    rows_read: i64,
    rows_written: i64,
    kv_reads: u32,
    kv_writes: u32,
    /// A hash of the mesh id: equal for the same mesh.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mesh_hash: String,
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

fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl RequestEntry {
    /// Returns the entry of a request that was received and responded to at these times, by a
    /// deployed version in an environment.
    #[must_use]
    pub fn new(
        client: Rc<ClientInfo>,
        (received_at, now): (UnixMillis, UnixMillis),
        response: &http::Response<Bytes>,
        usage: &RequestUsage,
        (environment, version): (&str, &str),
    ) -> Self {
        let client = Rc::unwrap_or_clone(client);
        let call = response.extensions().get::<CallInfo>();
        let UsageCounts {
            object_requests,
            object_ms,
            rows_read,
            rows_written,
            kv_reads,
            kv_writes,
            lookup_source,
            legacy,
            legacy_ms,
        } = usage.counts();
        Self {
            level: level(response, usage),
            method: call
                .and_then(|call| call.method)
                .map_or("", |method| method.name),
            status: response.status().as_u16(),
            codec: match call.and_then(|call| call.codec) {
                Some(Codec::Proto) => "proto",
                Some(Codec::Json) => "json",
                None => "",
            },
            code: call.and_then(|call| call.code).map_or("", Code::as_str),
            cause: call.and_then(|call| call.cause.clone()),
            duration_ms: now.millis_since(received_at),
            object_ms,
            bytes_in: client.content_length,
            bytes_out: response.body().len(),
            lookup_source: lookup_source.map_or("", LookupSource::as_str),
            legacy_outcome: legacy.map_or("", LegacyOutcome::as_str),
            legacy_ms,
            object_requests,
            rows_read,
            rows_written,
            kv_reads,
            kv_writes,
            mesh_hash: id_hash(&usage.mesh_id()),
            country: client.location.country.unwrap_or_default(),
            colo: client.location.colo.unwrap_or_default(),
            ray: client.ray,
            environment: environment.to_owned(),
            version: version.to_owned(),
        }
    }

    /// Returns whether the log has an entry for that response. Building an entry that is then
    /// dropped would cost a tenth of a lookup.
    #[must_use]
    pub fn is_logged(log: &Log, response: &http::Response<Bytes>, usage: &RequestUsage) -> bool {
        log.is_enabled(level(response, usage))
    }

    /// Writes the entry to the log.
    pub fn write(&self, log: &Log) {
        log.write(self.level, self);
    }
}

/// Returns the level of a response. Only errors of the service itself are errors to an operator's
/// alerts: deadlines are the caller's choice, and a legacy server that fails is a warning of its
/// own once a minute.
fn level(response: &http::Response<Bytes>, usage: &RequestUsage) -> LogLevel {
    let code = response
        .extensions()
        .get::<CallInfo>()
        .and_then(|call| call.code);
    let is_callers_fault = matches!(code, Some(Code::Unimplemented | Code::DeadlineExceeded));
    let legacy = usage.counts().legacy;
    if legacy == Some(LegacyOutcome::SplitBrain) {
        return LogLevel::Warn;
    }
    let is_legacy_fault = legacy.is_some_and(LegacyOutcome::is_unreachable);
    if response.status().is_server_error() && !is_callers_fault && !is_legacy_fault {
        LogLevel::Error
    } else {
        LogLevel::Info
    }
}

//! The log: one line of JSON for each request and each sweep.

use connect::{Code, Codec, Error, Report};
use serde::Serialize;
use worker::{console_error, console_log};

use crate::objects::Usage;
use crate::registry::store::Cost;

/// A request, as it is logged. It holds no message, no key and no address of the caller.
#[derive(Debug, Serialize)]
struct RequestLine<'a> {
    rpc: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    codec: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    duration_ms: i64,
    object_requests: u32,
    rows_read: u64,
    rows_written: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ray: Option<&'a str>,
}

/// A sweep, as it is logged.
#[derive(Debug, Serialize)]
struct SweepLine<'a> {
    sweep: &'a str,
    rows_read: u64,
    rows_written: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

/// Logs a request. `ray` is Cloudflare's id of it, by which an operator finds all about it.
pub fn log_request<B>(
    answer: &http::Response<B>,
    ray: Option<&str>,
    duration_ms: i64,
    usage: Usage,
) {
    let report = answer.extensions().get::<Report>();
    let code = report.and_then(|report| report.code);
    let line = RequestLine {
        rpc: report
            .and_then(|report| report.method)
            .map_or("", |method| method.name),
        status: answer.status().as_u16(),
        codec: report
            .and_then(|report| report.codec)
            .map(|codec| match codec {
                Codec::Proto => "proto",
                Codec::Json => "json",
            }),
        code: code.map(Code::as_str),
        cause: report.and_then(|report| report.cause.as_deref()),
        duration_ms,
        object_requests: usage.object_requests,
        rows_read: usage.rows_read,
        rows_written: usage.rows_written,
        ray,
    };
    // Errors of ours alone are errors to an operator's alerts.
    if answer.status().is_server_error() && code != Some(Code::Unimplemented) {
        console_error!("{}", to_json(&line));
    } else {
        console_log!("{}", to_json(&line));
    }
}

/// Logs a sweep of the object of that name, and why it failed if it did.
pub fn log_sweep(object: Option<String>, cost: Cost, error: Option<&Error>) {
    let line = SweepLine {
        sweep: object.as_deref().unwrap_or_default(),
        rows_read: cost.rows_read,
        rows_written: cost.rows_written,
        cause: error.map(|error| {
            let cause = error.cause().unwrap_or_default();
            format!("{error} {cause}")
        }),
    };
    console_log!("{}", to_json(&line));
}

fn to_json(line: &impl Serialize) -> String {
    serde_json::to_string(line).unwrap_or_default()
}

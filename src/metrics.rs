//! Data points for Analytics Engine: one for each request, where the binding is there.
//!
//! `docs/queries.md` has the queries that an operator wants; they name the columns as here.

use std::cell::OnceCell;

use worker::{AnalyticsEngineDataPointBuilder, Env};

use crate::bindings;
use crate::telemetry::{Entry, Forward};

/// The binding in `wrangler.toml`.
const BINDING: &str = "METRICS";

/// Whether there is the binding: looked up once in an isolate's life.
#[must_use]
pub fn is_there(env: &Env) -> bool {
    thread_local! {
        static IS_THERE: OnceCell<bool> = const { OnceCell::new() };
    }
    IS_THERE.with(|is_there| *is_there.get_or_init(|| bindings::find(env, BINDING).is_some()))
}

/// Counts a request. Nothing happens when it fails: the log has it all.
pub fn count(env: &Env, entry: &Entry) {
    let Ok(dataset) = env.analytics_engine(BINDING) else {
        return;
    };
    let duration_ms = i32::try_from(entry.duration_ms).unwrap_or(i32::MAX);
    let object_ms = i32::try_from(entry.object_ms).unwrap_or(i32::MAX);
    let bytes_in = u32::try_from(entry.bytes_in).unwrap_or(u32::MAX);
    let bytes_out = u32::try_from(entry.bytes_out).unwrap_or(u32::MAX);
    let point = AnalyticsEngineDataPointBuilder::new()
        // Sampling is by index: a busy method does not crowd out the others.
        .indexes([entry.rpc])
        .add_blob(entry.rpc)
        .add_blob(entry.code)
        .add_blob(entry.codec)
        .add_blob(entry.answered_by)
        .add_blob(entry.country.as_str())
        .add_blob(entry.colo.as_str())
        .add_blob(entry.version.as_str())
        .add_blob(entry.mesh.as_str())
        .add_blob(entry.legacy)
        .add_double(f64::from(duration_ms))
        .add_double(f64::from(object_ms))
        .add_double(f64::from(bytes_in))
        .add_double(f64::from(bytes_out))
        .add_double(f64::from(entry.status));
    let _ = point.write_to(&dataset);
}

/// Counts a registration at the old server after the answer, by a deployed version: under the index `Forward`, with the same
/// columns as far as it has them, and an HTTP status of 0.
pub fn count_forward(env: &Env, forward: &Forward, version: &str) {
    let Ok(dataset) = env.analytics_engine(BINDING) else {
        return;
    };
    let duration_ms = i32::try_from(forward.duration_ms).unwrap_or(i32::MAX);
    let point = AnalyticsEngineDataPointBuilder::new()
        .indexes(["Forward"])
        .add_blob(format!("Forward{}", forward.forward).as_str())
        .add_blob("")
        .add_blob("")
        .add_blob("")
        .add_blob("")
        .add_blob("")
        .add_blob(version)
        .add_blob(forward.mesh.as_str())
        .add_blob(forward.legacy)
        .add_double(f64::from(duration_ms));
    let _ = point.write_to(&dataset);
}

//! `GET /health`, for load balancers and `curl -f`: served from memory, without the registry.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};

use super::json_page;
use crate::state::AppState;

/// The path of the health check.
pub const PATH: &str = "/health";

/// Returns 200 with `{"status":"ok","version":...}`; 503 and `degraded` when the variables are
/// wrong.
#[must_use]
pub fn respond(method: &Method, state: &AppState) -> http::Response<Bytes> {
    let status = match state.config_error {
        None => StatusCode::OK,
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let no_store = HeaderValue::from_static("no-store");
    json_page::respond(method, status, no_store, || {
        let health = serde_json::json!({
            "status": state.status(),
            "version": state.config.version,
        });
        health.to_string()
    })
}

//! `GET /health`, for load balancers and people: whether this isolate answers, without a look at
//! the registry.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};

use crate::isolate::Isolate;

/// Where it is asked.
pub const PATH: &str = "/health";

/// 200 with `{"status":"ok","version":...}`; 503 and `degraded` when the configuration is wrong.
#[must_use]
pub fn answer<B>(request: &http::Request<B>, isolate: &Isolate) -> http::Response<Bytes> {
    let mut answer = http::Response::new(Bytes::new());
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        return answer;
    }
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if isolate.fault.is_some() {
        *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    if *request.method() == Method::GET {
        let status = serde_json::json!({
            "status": isolate.status(),
            "version": isolate.config.version,
        });
        *answer.body_mut() = status.to_string().into();
    }
    answer
}

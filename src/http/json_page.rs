//! A JSON document that is served to GET and HEAD.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};

/// Returns a response with the document that `body` makes, for GET, or its headers alone, for HEAD.
/// Other methods get 405.
pub(super) fn respond(
    method: &Method,
    status: StatusCode,
    cache_control: HeaderValue,
    body: impl FnOnce() -> String,
) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::new());
    let headers = response.headers_mut();
    if !matches!(*method, Method::GET | Method::HEAD) {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        return response;
    }
    headers.insert(header::CACHE_CONTROL, cache_control);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    *response.status_mut() = status;
    if *method == Method::GET {
        *response.body_mut() = body().into();
    }
    response
}

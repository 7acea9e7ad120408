//! `GET /.well-known/jwks.json`: the keys by which colonies check tickets.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};

use crate::config::Config;
use crate::tokens;

/// Where it is asked.
pub const PATH: &str = "/.well-known/jwks.json";

/// For how long anybody may keep the set: a new key is in use only after it (see the README on changing keys).
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// An empty set must not be kept: colonies would hold on to it when there is a key at last.
const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-store");

/// 200 with all keys. Without any the set is empty, as clients take no other status, and nobody may keep it.
#[must_use]
pub fn answer<B>(request: &http::Request<B>, config: &Config) -> http::Response<Bytes> {
    let mut answer = http::Response::new(Bytes::new());
    let headers = answer.headers_mut();
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        return answer;
    }
    let kept = if config.signer.is_some() {
        KEPT
    } else {
        NOT_KEPT
    };
    headers.insert(header::CACHE_CONTROL, kept);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if *request.method() == Method::GET {
        let current = config.signer.as_ref().map(tokens::Signer::public);
        let keys = current.iter().chain(&config.previous_keys);
        *answer.body_mut() = tokens::key_set(keys).into();
    }
    answer
}

//! `GET /.well-known/jwks.json`: the keys by which colonies verify bootstrap tokens.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};

use super::json_page;
use crate::config::Config;
use crate::domain::bootstrap_token::Signer;
use crate::domain::key_set;

/// The path of the key set.
pub const PATH: &str = "/.well-known/jwks.json";

/// The time for which the set may be cached: a new key is used only after it (see
/// `docs/bootstrap-tokens.md` on rotating keys).
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// An empty set must not be cached: colonies would still use it after a key is configured.
const NOT_CACHED: HeaderValue = HeaderValue::from_static("no-store");

/// Returns 200 with all keys. Without a signing key the set is empty, as clients accept no other
/// status, and must not be cached.
#[must_use]
pub fn respond(method: &Method, config: &Config) -> http::Response<Bytes> {
    let cache_control = if config.signer.is_some() {
        CACHED
    } else {
        NOT_CACHED
    };
    json_page::respond(method, StatusCode::OK, cache_control, || {
        let current = config.signer.as_ref().map(Signer::public);
        let keys = current.iter().chain(&config.verification_keys);
        key_set::to_json(keys)
    })
}

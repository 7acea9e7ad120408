//! Who is an operator.

use http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::protos::coral::discovery::admin::v1::admin_service;

/// Whether a path is one of the service for operators.
#[must_use]
pub fn is_for_operators(path: &str) -> bool {
    let rest = path
        .strip_prefix('/')
        .and_then(|path| path.strip_prefix(admin_service::NAME));
    rest.is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a request has the secret whose SHA-256 that is, as `Authorization: Bearer <secret>`. Hashes are compared, in a time that
/// tells nothing of how much is right, nor of how long the secret is.
#[must_use]
pub fn is_operator(headers: &HeaderMap, secret_hash: &[u8; 32]) -> bool {
    let value = headers.get(header::AUTHORIZATION);
    let value = value.and_then(|value| value.to_str().ok());
    let secret = value.and_then(|value| value.strip_prefix("Bearer "));
    let hash: [u8; 32] = Sha256::digest(secret.unwrap_or_default().trim()).into();
    hash.ct_eq(secret_hash).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_the_whole_secret_opens() {
        let hash = Sha256::digest("secret").into();
        for (value, opens) in [
            (Some("Bearer secret"), true),
            (Some("Bearer secre"), false),
            (Some("Bearer secret2"), false),
            (Some("secret"), false),
            (Some("Basic secret"), false),
            (Some("Bearer "), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            assert_eq!(is_operator(&headers, &hash), opens, "{value:?}");
        }
    }
}

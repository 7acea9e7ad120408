//! Authentication of the admin.

use http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::proto::admin::admin_service;

/// Returns whether a path is one of the admin service.
#[must_use]
pub fn is_admin_path(path: &str) -> bool {
    let rest = path
        .strip_prefix('/')
        .and_then(|path| path.strip_prefix(admin_service::NAME));
    rest.is_some_and(|rest| rest.starts_with('/'))
}

/// Returns whether a request has the key with that SHA-256, as `Authorization: Bearer <key>`.
/// Hashes are compared, in a time that reveals neither how much of the key is right nor its length.
#[must_use]
pub fn is_admin(headers: &HeaderMap, key_hash: &[u8; 32]) -> bool {
    let value = headers.get(header::AUTHORIZATION);
    let value = value.and_then(|value| value.to_str().ok());
    let key = value.and_then(|value| value.strip_prefix("Bearer "));
    let hash: [u8; 32] = Sha256::digest(key.unwrap_or_default().trim()).into();
    hash.ct_eq(key_hash).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_the_whole_key_authenticates() {
        let hash = Sha256::digest("secret").into();
        for (value, is_accepted) in [
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
            assert_eq!(is_admin(&headers, &hash), is_accepted, "{value:?}");
        }
    }

    #[test]
    fn admin_paths_are_those_of_the_admin_service() {
        assert!(is_admin_path(
            "/coral.discovery.admin.v1.AdminService/ListLeases"
        ));
        assert!(is_admin_path(
            "/coral.discovery.admin.v1.AdminService/Unknown"
        ));
        assert!(!is_admin_path("/coral.discovery.admin.v1.AdminService"));
        assert!(!is_admin_path(
            "/coral.discovery.v1.DiscoveryService/Health"
        ));
    }
}

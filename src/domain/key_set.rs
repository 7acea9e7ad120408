//! The keys that verify bootstrap tokens, and their JSON Web Key Set.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use crate::limits;

/// The number of verification keys beside the current one: as many as the Go server kept.
pub const MAX_VERIFICATION_KEYS: usize = 5;

/// A key that verifies bootstrap tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The id of the key.
    pub id: String,
    /// The key.
    pub key: VerifyingKey,
}

/// A verification key as the variable has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EncodedPublicKey {
    id: String,
    public_key: String,
}

/// Checks the id of a key. It stands in each token; the legacy servers used ULIDs.
///
/// # Errors
/// A description of what the id must be.
pub(super) fn checked_key_id(id: String) -> Result<String, &'static str> {
    let fits = !id.is_empty() && id.len() <= limits::ID_BYTES;
    if !fits || id.chars().any(char::is_control) {
        return Err("a key whose id is a short text, such as a ULID");
    }
    Ok(id)
}

/// Parses `[{"id": "...", "publicKey": "<base64 of 32 bytes>"}, ...]`.
///
/// # Errors
/// A description of what the list must be.
pub fn parse_verification_keys(list: &str) -> Result<Vec<PublicKey>, &'static str> {
    const MUST: &str =
        "a JSON list of at most 5 keys, each with id and publicKey, the latter base64 of 32 bytes";
    let encoded: Vec<EncodedPublicKey> = serde_json::from_str(list).map_err(|_| MUST)?;
    if encoded.len() > MAX_VERIFICATION_KEYS {
        return Err(MUST);
    }
    let parse = |EncodedPublicKey { id, public_key }| {
        let bytes = STANDARD.decode(public_key.trim()).map_err(|_| MUST)?;
        let key = bytes.as_slice().try_into().map_err(|_| MUST)?;
        Ok(PublicKey {
            id: checked_key_id(id)?,
            key: VerifyingKey::from_bytes(key).map_err(|_| MUST)?,
        })
    };
    encoded.into_iter().map(parse).collect()
}

/// A key as RFC 8037 writes it.
#[derive(Serialize)]
struct Jwk<'a> {
    kid: &'a str,
    kty: &'static str,
    crv: &'static str,
    x: String,
    r#use: &'static str,
    alg: &'static str,
}

/// Returns the JSON Web Key Set (RFC 7517) of all keys that verify bootstrap tokens.
#[must_use]
pub fn to_json<'a>(keys: impl Iterator<Item = &'a PublicKey>) -> String {
    #[derive(Serialize)]
    struct KeySet<'a> {
        keys: Vec<Jwk<'a>>,
    }
    let keys = keys.map(|PublicKey { id, key }| Jwk {
        kid: id,
        kty: "OKP",
        crv: "Ed25519",
        x: URL_SAFE_NO_PAD.encode(key.as_bytes()),
        r#use: "sig",
        alg: "EdDSA",
    });
    let keys = keys.collect();
    serde_json::to_string(&KeySet { keys }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The public key of RFC 8037, appendix A.
    const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    #[test]
    fn key_set_is_that_of_rfc_8037() {
        let public = URL_SAFE_NO_PAD.decode(PUBLIC).unwrap();
        let list = format!(
            r#"[{{"id":"old","publicKey":"{}"}}]"#,
            STANDARD.encode(public)
        );
        let keys = parse_verification_keys(&list).unwrap();
        let set: serde_json::Value = serde_json::from_str(&to_json(keys.iter())).unwrap();
        let key = serde_json::json!({
            "kid": "old", "kty": "OKP", "crv": "Ed25519", "x": PUBLIC, "use": "sig", "alg": "EdDSA",
        });
        assert_eq!(set, serde_json::json!({"keys": [key]}));
    }

    #[test]
    fn verification_keys_are_few_and_whole() {
        assert_eq!(parse_verification_keys("[]"), Ok(Vec::new()));
        let one = format!(r#"{{"id":"k","publicKey":"{}"}}"#, STANDARD.encode([1; 32]));
        let six = format!("[{}]", vec![one; 6].join(","));
        for wrong in ["", "{}", r#"[{"id":"k","publicKey":"AA=="}]"#, &six] {
            assert!(parse_verification_keys(wrong).is_err(), "{wrong}");
        }
    }
}

//! Tickets of RFD 049: who signs them, what they say, and the keys by which others check them.
//!
//! Today's colonies check (coral-crypto): the algorithm is EdDSA, the key's id is in the set that they fetched, the ticket has
//! not lapsed, its audience has `coral-colony` and its issuer is `coral-discovery`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::DateTime;
use connect::Error;
use ed25519_dalek::{SECRET_KEY_LENGTH, SigningKey, VerifyingKey};
use jwt_compact::alg::Ed25519;
use jwt_compact::{AlgorithmExt as _, Claims, Header};
use serde::{Deserialize, Serialize};

use crate::limits;

/// For how long a ticket is valid, as at both predecessors: an agent uses it at once.
pub const LIFETIME_SECONDS: i64 = 60;

const ISSUER: &str = "coral-discovery";
const AUDIENCE: &str = "coral-colony";

/// Keys that were used before, as many as the Go server kept.
pub const PREVIOUS_KEYS: usize = 5;

/// What signs tickets.
#[derive(Clone)]
pub struct Signer {
    id: String,
    key: SigningKey,
}

impl fmt::Debug for Signer {
    /// The secret stays one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A key by which tickets are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Its id.
    pub id: String,
    key: VerifyingKey,
}

/// Who shall be let in where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ticket {
    /// The Reef, if any.
    pub reef_id: String,
    /// The colony that shall accept it.
    pub colony_id: String,
    /// The agent that may use it.
    pub agent_id: String,
    /// What for.
    pub intent: String,
}

/// The claims beside those of time.
#[derive(Serialize)]
struct Claimed<'a> {
    #[serde(flatten)]
    ticket: &'a Ticket,
    iss: &'static str,
    aud: [&'static str; 1],
    jti: String,
}

/// The secret, in the predecessors' form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredKey {
    id: String,
    private_key: String,
}

/// A key that was used before.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredPublicKey {
    id: String,
    public_key: String,
}

impl Signer {
    /// Reads `{"id": "<ULID>", "privateKey": "<base64>"}`, where the private key is the seed of 32 bytes, with
    /// or without the public key after it.
    ///
    /// # Errors
    /// What it must be. Nothing of what it is.
    pub fn parse(secret: &str) -> Result<Self, &'static str> {
        let StoredKey { id, private_key } = serde_json::from_str(secret)
            .map_err(|_| "JSON with the members id and privateKey, both text")?;
        let id = key_id(id)?;
        let bytes = STANDARD
            .decode(private_key.trim())
            .map_err(|_| "a key whose privateKey is base64")?;
        let seed = bytes.first_chunk::<SECRET_KEY_LENGTH>();
        let key = SigningKey::from_bytes(seed.ok_or(KEY_LENGTH)?);
        match bytes.get(SECRET_KEY_LENGTH..) {
            None | Some([]) => {}
            Some(public) if public == key.verifying_key().as_bytes() => {}
            Some(public) if public.len() == SECRET_KEY_LENGTH => {
                return Err("a key whose privateKey ends with the public key of its seed");
            }
            Some(_) => return Err(KEY_LENGTH),
        }
        Ok(Self { id, key })
    }

    /// By what its tickets are checked.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey {
            id: self.id.clone(),
            key: self.key.verifying_key(),
        }
    }

    /// A signed ticket with an id of its own, and when it lapses, in seconds since the Unix epoch. Of `random`, 122
    /// bits become the ticket's id.
    ///
    /// # Errors
    /// `internal`: no ticket that passed the checks of a request is known to fail.
    pub fn sign(
        &self,
        ticket: &Ticket,
        now_ms: i64,
        random: [u8; 16],
    ) -> Result<(String, i64), Error> {
        let failed = |cause: &str| Error::internal("the ticket cannot be signed").with_cause(cause);
        let issued_at = now_ms.div_euclid(1_000);
        let expires_at = issued_at.saturating_add(LIFETIME_SECONDS);
        let mut claims = Claims::new(Claimed {
            ticket,
            iss: ISSUER,
            aud: [AUDIENCE],
            jti: uuid::Builder::from_random_bytes(random)
                .into_uuid()
                .to_string(),
        });
        claims.issued_at = DateTime::from_timestamp(issued_at, 0);
        claims.expiration = DateTime::from_timestamp(expires_at, 0);
        let header = Header::empty()
            .with_key_id(self.id.clone())
            .with_token_type("JWT");
        let token = Ed25519
            .token(&header, &claims, &self.key)
            .map_err(|error| failed(&error.to_string()))?;
        Ok((token, expires_at))
    }
}

const KEY_LENGTH: &str =
    "a key whose privateKey has 64 bytes, the seed and the public key, or the seed's 32";

/// A key's id stands in each ticket and in URLs of nobody: any short text will do. The predecessors' are ULIDs.
fn key_id(id: String) -> Result<String, &'static str> {
    let fits = !id.is_empty() && id.len() <= limits::ID_BYTES;
    if !fits || id.chars().any(char::is_control) {
        return Err("a key whose id is a short text, such as a ULID");
    }
    Ok(id)
}

/// Reads `[{"id": "...", "publicKey": "<base64 of 32 bytes>"}, ...]`.
///
/// # Errors
/// What it must be.
pub fn parse_previous(list: &str) -> Result<Vec<PublicKey>, &'static str> {
    const MUST: &str =
        "a JSON list of at most 5 keys, each with id and publicKey, the latter base64 of 32 bytes";
    let stored: Vec<StoredPublicKey> = serde_json::from_str(list).map_err(|_| MUST)?;
    if stored.len() > PREVIOUS_KEYS {
        return Err(MUST);
    }
    let parse = |StoredPublicKey { id, public_key }| {
        let bytes = STANDARD.decode(public_key.trim()).map_err(|_| MUST)?;
        let key = bytes.as_slice().try_into().map_err(|_| MUST)?;
        Ok(PublicKey {
            id: key_id(id)?,
            key: VerifyingKey::from_bytes(key).map_err(|_| MUST)?,
        })
    };
    stored.into_iter().map(parse).collect()
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

/// All keys by which tickets may be checked, as a JSON Web Key Set (RFC 7517).
#[must_use]
pub fn key_set<'a>(keys: impl Iterator<Item = &'a PublicKey>) -> String {
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

    /// RFC 8037, appendix A: a seed with its public key.
    const SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn secret(private_key: &[u8]) -> String {
        let private_key = STANDARD.encode(private_key);
        format!(r#"{{"id":"01K","privateKey":"{private_key}"}}"#)
    }

    fn signer() -> Signer {
        Signer::parse(&secret(&bytes(SEED))).unwrap()
    }

    #[test]
    fn a_key_is_a_seed_with_or_without_its_public_key() {
        let both = [bytes(SEED), bytes(PUBLIC)].concat();
        for private_key in [bytes(SEED), both] {
            let signer = Signer::parse(&secret(&private_key)).unwrap();
            assert_eq!(signer.public().key.as_bytes().as_slice(), bytes(PUBLIC));
        }
    }

    #[test]
    fn a_wrong_key_is_refused_and_not_quoted() {
        let wrong_half = [bytes(SEED), vec![7; 32]].concat();
        for wrong in [
            "not JSON".to_owned(),
            r#"{"id":"01K"}"#.to_owned(),
            r#"{"id":"01K","privateKey":"c2VjcmV0!"}"#.to_owned(),
            secret(b"c2VjcmV0"),
            secret(&[1; 33]),
            secret(&[1; 65]),
            secret(&wrong_half),
            secret(&bytes(SEED)).replace("01K", ""),
        ] {
            let must = Signer::parse(&wrong).unwrap_err();
            assert!(!must.contains("c2VjcmV0"), "{must}");
        }
        assert!(!format!("{:?}", signer()).contains("SigningKey"));
    }

    #[test]
    fn a_ticket_says_what_the_predecessors_said() {
        let ticket = Ticket {
            reef_id: "r".to_owned(),
            colony_id: "c".to_owned(),
            agent_id: "a".to_owned(),
            intent: "register".to_owned(),
        };
        let (token, expires_at) = signer().sign(&ticket, 1_700_000_000_999, [0; 16]).unwrap();
        let parts: Vec<_> = token.split('.').collect();
        let part = |index: usize| -> serde_json::Value {
            serde_json::from_slice(&bytes(parts[index])).unwrap()
        };
        assert_eq!(
            part(0),
            serde_json::json!({"alg": "EdDSA", "typ": "JWT", "kid": "01K"})
        );
        assert_eq!(
            part(1),
            serde_json::json!({
                "reef_id": "r", "colony_id": "c", "agent_id": "a", "intent": "register",
                "iss": "coral-discovery", "aud": ["coral-colony"],
                "iat": 1_700_000_000, "exp": 1_700_000_060,
                "jti": "00000000-0000-4000-8000-000000000000",
            })
        );
        assert_eq!(expires_at, 1_700_000_060);
    }

    #[test]
    fn the_key_set_is_that_of_rfc_8037() {
        let previous = format!(
            r#"[{{"id":"old","publicKey":"{}"}}]"#,
            STANDARD.encode(bytes(PUBLIC))
        );
        let previous = parse_previous(&previous).unwrap();
        let set: serde_json::Value =
            serde_json::from_str(&key_set([signer().public()].iter().chain(&previous))).unwrap();
        let key = |kid: &str| {
            serde_json::json!({
                "kid": kid, "kty": "OKP", "crv": "Ed25519", "x": PUBLIC, "use": "sig", "alg": "EdDSA",
            })
        };
        assert_eq!(set, serde_json::json!({"keys": [key("01K"), key("old")]}));
    }

    #[test]
    fn previous_keys_are_few_and_whole() {
        assert_eq!(parse_previous("[]"), Ok(Vec::new()));
        let one = format!(r#"{{"id":"k","publicKey":"{}"}}"#, STANDARD.encode([1; 32]));
        let six = format!("[{}]", vec![one; 6].join(","));
        for wrong in ["", "{}", r#"[{"id":"k","publicKey":"AA=="}]"#, &six] {
            assert!(parse_previous(wrong).is_err(), "{wrong}");
        }
    }
}

//! Bootstrap tokens (RFD 049): the JSON Web Tokens that a new agent shows its colony.
//!
//! Today's colonies (coral-crypto) check that the algorithm is EdDSA, that the key's id is in the
//! key set they fetched, that the token has not expired, that its audience has `coral-colony` and
//! that its issuer is `coral-discovery`.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use connect::{Error, UnixMillis};
use ed25519_dalek::{SECRET_KEY_LENGTH, SigningKey};
use jwt_compact::alg::Ed25519;
use jwt_compact::{AlgorithmExt as _, Claims, Header};
use serde::{Deserialize, Serialize};

use super::key_set::{PublicKey, checked_key_id};

/// The lifetime of a token, as at both legacy servers: an agent uses it at once.
pub const LIFETIME: Duration = Duration::from_secs(60);

/// The only intent that is signed. A colony accepts a token of intent `renew` without the secret of
/// its mesh, and a caller here has not shown anything that could be renewed; agents renew without
/// a token.
pub const INTENT_REGISTER: &str = "register";

const ISSUER: &str = "coral-discovery";
const AUDIENCE: &str = "coral-colony";

/// The key that signs tokens.
#[derive(Clone)]
pub struct Signer {
    id: String,
    key: SigningKey,
}

impl fmt::Debug for Signer {
    /// Writes the id, and nothing of the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The subject of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TokenSubject {
    /// The Reef, if any.
    pub reef_id: String,
    /// The colony that is to accept the token.
    pub colony_id: String,
    /// The agent that may use it.
    pub agent_id: String,
    /// The intent: [`INTENT_REGISTER`].
    pub intent: &'static str,
}

/// The claims beside those of time.
#[derive(Serialize)]
struct OwnClaims<'a> {
    #[serde(flatten)]
    subject: &'a TokenSubject,
    iss: &'static str,
    aud: [&'static str; 1],
    jti: String,
}

/// The secret, in the form of the legacy servers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EncodedSigningKey {
    id: String,
    private_key: String,
}

impl Signer {
    /// Parses `{"id": "<ULID>", "privateKey": "<base64>"}`, where the private key is the seed of 32
    /// bytes, with or without the public key after it.
    ///
    /// # Errors
    /// A description of what the secret must be, without anything of what it is.
    pub fn parse(secret: &str) -> Result<Self, &'static str> {
        let EncodedSigningKey { id, private_key } = serde_json::from_str(secret)
            .map_err(|_| "JSON with the members id and privateKey, both text")?;
        let id = checked_key_id(id)?;
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

    /// Returns the key that verifies the signer's tokens.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey {
            id: self.id.clone(),
            key: self.key.verifying_key(),
        }
    }

    /// Signs a token with an id of its own, made of 122 bits of `random`. Returns the token and the
    /// time at which it expires, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// `internal`: no token that passed the checks of a request is known to fail.
    pub fn sign(
        &self,
        subject: &TokenSubject,
        now: UnixMillis,
        random: [u8; 16],
    ) -> Result<(String, i64), Error> {
        let failed =
            |cause: &str| Error::internal("the bootstrap token cannot be signed").with_cause(cause);
        let issued_at = now.as_millis().div_euclid(1_000);
        let lifetime = i64::try_from(LIFETIME.as_secs()).unwrap_or(i64::MAX);
        let expires_at = issued_at.saturating_add(lifetime);
        let mut claims = Claims::new(OwnClaims {
            subject,
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

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    /// The seed of RFC 8037, appendix A, and its public key.
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
    fn key_is_a_seed_with_or_without_its_public_key() {
        let both = [bytes(SEED), bytes(PUBLIC)].concat();
        for private_key in [bytes(SEED), both] {
            let signer = Signer::parse(&secret(&private_key)).unwrap();
            assert_eq!(signer.public().key.as_bytes().as_slice(), bytes(PUBLIC));
        }
    }

    #[test]
    fn wrong_key_is_refused_and_not_quoted() {
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
    fn token_has_the_claims_of_the_legacy_servers() {
        let subject = TokenSubject {
            reef_id: "r".to_owned(),
            colony_id: "c".to_owned(),
            agent_id: "a".to_owned(),
            intent: INTENT_REGISTER,
        };
        let now = UnixMillis::from_millis(1_700_000_000_999);
        let (token, expires_at) = signer().sign(&subject, now, [0; 16]).unwrap();
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
}

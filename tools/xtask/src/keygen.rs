//! The command `keygen`: a new signing key for bootstrap tokens.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use ulid::Ulid;

/// Prints a new key in the format of `DISCOVERY_SIGNING_KEY`.
///
/// Only the key goes to the standard output, so that it can be piped into `wrangler secret put`.
/// Its public half, for `DISCOVERY_VERIFICATION_KEYS`, goes to the standard error.
pub(crate) fn print() -> Result<()> {
    let mut seed = [0; 32];
    let mut random = [0; 16];
    getrandom::fill(&mut seed).context("the system has no randomness")?;
    getrandom::fill(&mut random).context("the system has no randomness")?;
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let id = Ulid::from_parts(u64::try_from(now_ms)?, u128::from_be_bytes(random)).to_string();
    let key = SigningKey::from_bytes(&seed);
    let private_key = STANDARD.encode(key.to_keypair_bytes());
    let public_key = STANDARD.encode(key.verifying_key().as_bytes());
    println!(
        "{}",
        serde_json::json!({"id": id, "privateKey": private_key})
    );
    eprintln!(
        "\nKeep the line above secret. The public key, for DISCOVERY_VERIFICATION_KEYS before and \
         after the key is in use:\n{}",
        serde_json::json!({"id": id, "publicKey": public_key})
    );
    Ok(())
}

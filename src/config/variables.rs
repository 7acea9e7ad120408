//! Reading of variables: text, numbers, durations, one of several words, keys.

use std::time::Duration;

use connect::{Codec, Error};
use sha2::{Digest as _, Sha256};

use crate::domain::bootstrap_token::Signer;
use crate::domain::key_set::{PublicKey, parse_verification_keys};
use crate::limits;
use crate::migration::{self, MigrationSettings};

pub(super) const SIGNING_KEY: &str = "DISCOVERY_SIGNING_KEY";
pub(super) const VERIFICATION_KEYS: &str = "DISCOVERY_VERIFICATION_KEYS";
pub(super) const ADMIN_KEY: &str = "DISCOVERY_ADMIN_KEY";
pub(super) const LEGACY_URL: &str = "LEGACY_DISCOVERY_URL";

const CODECS: [(&str, Codec); 2] = [("proto", Codec::Proto), ("json", Codec::Json)];

/// The longest wait of a lookup for the legacy server, in milliseconds. It may be set to half of
/// the ten seconds after which clients give up; calls with a shorter deadline are treated apart,
/// see [`migration::timeout_for`].
const LEGACY_TIMEOUT_MS: u64 = 2_000;

/// The variables, read through a function.
pub(super) struct Variables<F>(pub(super) F);

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    pub(super) fn text(&self, name: &str, default: String) -> String {
        (self.0)(name).unwrap_or(default)
    }

    /// Reads the key that signs bootstrap tokens, and the further keys that verify them.
    pub(super) fn keys(&self) -> Result<(Option<Signer>, Vec<PublicKey>), Error> {
        // No cause with the value: a secret must not reach the log either.
        let signer = (self.0)(SIGNING_KEY).map(|secret| Signer::parse(&secret));
        let signer = signer
            .transpose()
            .map_err(|must| invalid_variable(SIGNING_KEY, must))?;
        let list = self.text(VERIFICATION_KEYS, "[]".to_owned());
        let keys = parse_verification_keys(&list)
            .map_err(|must| invalid_variable(VERIFICATION_KEYS, must).with_cause(&list))?;
        // While keys are rotated, secret and variable are set one after the other: the current key
        // may be in both.
        let Some(current) = signer.as_ref().map(Signer::public) else {
            return Ok((signer, keys));
        };
        let others: Vec<_> = keys.into_iter().filter(|key| *key != current).collect();
        if others.iter().any(|key| key.id == current.id) {
            let must = "keys with other ids than the current one";
            return Err(invalid_variable(VERIFICATION_KEYS, must));
        }
        Ok((signer, others))
    }

    pub(super) fn admin_key_hash(&self) -> Result<Option<[u8; 32]>, Error> {
        let Some(key) = (self.0)(ADMIN_KEY) else {
            return Ok(None);
        };
        let key = key.trim();
        // The key arrives in a header, which allows no other characters.
        let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if key.len() < limits::ADMIN_KEY_BYTES || !is_visible {
            let least = limits::ADMIN_KEY_BYTES;
            let must = format!("a secret of at least {least} visible characters of ASCII");
            return Err(invalid_variable(ADMIN_KEY, must));
        }
        Ok(Some(Sha256::digest(key).into()))
    }

    /// Reads the settings of the migration; `None` without a legacy server.
    pub(super) fn migration(&self) -> Result<Option<MigrationSettings>, Error> {
        let timeout = self.duration_ms("LEGACY_TIMEOUT_MS", LEGACY_TIMEOUT_MS, 1, 5_000)?;
        let synchronous_writes = self.number("LEGACY_SYNC_WRITES", false, false, true)?;
        let codec = self.one_of("LEGACY_CODEC", Codec::Proto, &CODECS)?;
        let Some(url) = (self.0)(LEGACY_URL) else {
            return Ok(None);
        };
        let must = "a URL of http or https, without a user, a query or a fragment";
        let url = migration::base_url(&url).ok_or_else(|| invalid_variable(LEGACY_URL, must))?;
        Ok(Some(MigrationSettings {
            url,
            codec,
            timeout,
            synchronous_writes,
        }))
    }

    /// Reads a duration in milliseconds.
    pub(super) fn duration_ms(
        &self,
        name: &str,
        default: u64,
        least: u64,
        most: u64,
    ) -> Result<Duration, Error> {
        let milliseconds = self.number(name, default, least, most)?;
        Ok(Duration::from_millis(milliseconds))
    }

    pub(super) fn number<T>(&self, name: &str, default: T, least: T, most: T) -> Result<T, Error>
    where
        T: std::str::FromStr + PartialOrd + std::fmt::Display,
    {
        let Some(text) = (self.0)(name) else {
            return Ok(default);
        };
        text.trim()
            .parse()
            .ok()
            .filter(|value| (&least..=&most).contains(&value))
            .ok_or_else(|| {
                invalid_variable(name, format!("between {least} and {most}")).with_cause(text)
            })
    }

    pub(super) fn one_of<T: Copy>(
        &self,
        name: &str,
        default: T,
        all: &[(&str, T)],
    ) -> Result<T, Error> {
        let Some(text) = (self.0)(name) else {
            return Ok(default);
        };
        let found = all.iter().find(|(word, _)| *word == text.trim());
        found.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<_> = all.iter().map(|(word, _)| *word).collect();
            invalid_variable(name, format!("one of {}", words.join(", "))).with_cause(text)
        })
    }
}

/// Returns the error of a wrong variable: its name and what it must be, and nothing of its value.
pub(super) fn invalid_variable(name: &str, must: impl std::fmt::Display) -> Error {
    Error::failed_precondition(format!(
        "the service is not configured correctly: {name} must be {must}"
    ))
}

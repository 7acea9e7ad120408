//! Variables, read by what they must be.

use std::time::Duration;

use connect::{Codec, Error};
use sha2::{Digest as _, Sha256};

use crate::limits;
use crate::migration::{self, Migration};
use crate::tokens::{self, PublicKey, Signer};

pub(super) const SIGNING_KEY: &str = "DISCOVERY_SIGNING_KEY";
pub(super) const PREVIOUS_KEYS: &str = "DISCOVERY_VERIFICATION_KEYS";
pub(super) const ADMIN_KEY: &str = "DISCOVERY_ADMIN_KEY";

pub(super) const LEGACY_URL: &str = "LEGACY_DISCOVERY_URL";

const CODECS: [(&str, Codec); 2] = [("proto", Codec::Proto), ("json", Codec::Json)];

/// A lookup that the registry does not know waits for the old server so long at the most, in milliseconds. It may be set to
/// half of the ten seconds after which clients give up: whoever gives less is in a hurry, as [`patience`] has it.
///
/// [`patience`]: migration::patience
const LEGACY_TIMEOUT_MS: u64 = 2_000;

/// Variables, read by what they must be.
pub(super) struct Vars<F>(pub(super) F);

impl<F: Fn(&str) -> Option<String>> Vars<F> {
    pub(super) fn text(&self, name: &str, default: String) -> String {
        (self.0)(name).unwrap_or(default)
    }

    /// What signs tickets, and what they were signed with before.
    pub(super) fn keys(&self) -> Result<(Option<Signer>, Vec<PublicKey>), Error> {
        // A secret is nobody's to read, not even in the log: there is no cause that tells it.
        let signer = (self.0)(SIGNING_KEY).map(|secret| Signer::parse(&secret));
        let signer = signer
            .transpose()
            .map_err(|must| wrong(SIGNING_KEY, must))?;
        let previous = self.text(PREVIOUS_KEYS, "[]".to_owned());
        let keys = tokens::parse_previous(&previous)
            .map_err(|must| wrong(PREVIOUS_KEYS, must).with_cause(&previous))?;
        // While keys are changed, secret and variable are set one after the other: the current key may be in both.
        let Some(current) = signer.as_ref().map(Signer::public) else {
            return Ok((signer, keys));
        };
        let others: Vec<_> = keys.into_iter().filter(|key| *key != current).collect();
        if others.iter().any(|key| key.id == current.id) {
            return Err(wrong(PREVIOUS_KEYS, "no other key of the current one's id"));
        }
        Ok((signer, others))
    }

    pub(super) fn admin_key_hash(&self) -> Result<Option<[u8; 32]>, Error> {
        let Some(key) = (self.0)(ADMIN_KEY) else {
            return Ok(None);
        };
        let key = key.trim();
        // It comes in a header, which has no others.
        let is_text = key.bytes().all(|byte| byte.is_ascii_graphic());
        if key.len() < limits::ADMIN_KEY_BYTES || !is_text {
            let least = limits::ADMIN_KEY_BYTES;
            let must = format!("a secret of at least {least} visible characters of ASCII");
            return Err(wrong(ADMIN_KEY, must));
        }
        Ok(Some(Sha256::digest(key).into()))
    }

    /// How clients move from an old server, if they do.
    pub(super) fn migration(&self) -> Result<Option<Migration>, Error> {
        let timeout_ms = self.number("LEGACY_TIMEOUT_MS", LEGACY_TIMEOUT_MS, 1, 5_000)?;
        let is_awaited = self.number("LEGACY_SYNC_WRITES", false, false, true)?;
        let codec = self.one_of("LEGACY_CODEC", Codec::Proto, &CODECS)?;
        let Some(url) = (self.0)(LEGACY_URL) else {
            return Ok(None);
        };
        let must = "a URL of http or https, without a user, a query or a fragment";
        let url = migration::base_url(&url).ok_or_else(|| wrong(LEGACY_URL, must))?;
        Ok(Some(Migration {
            url,
            codec,
            timeout: Duration::from_millis(timeout_ms),
            is_awaited,
        }))
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
            .ok_or_else(|| wrong(name, format!("between {least} and {most}")).with_cause(text))
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
            wrong(name, format!("one of {}", words.join(", "))).with_cause(text)
        })
    }
}

/// A variable that is wrong: what it must be, and nothing of what it is.
pub(super) fn wrong(name: &str, must: impl std::fmt::Display) -> Error {
    Error::failed_precondition(format!(
        "the service is not configured correctly: {name} must be {must}"
    ))
}

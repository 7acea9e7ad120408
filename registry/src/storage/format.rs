//! The format of an object's key-value storage: a key for each lease, each counted colony and each
//! shard's count.
//!
//! A value is a protobuf message of `coral.registry.v1`, so that one version reads what another
//! wrote.

use connect::{Error, UnixMillis};
use prost::Message;

use super::StoredLease;
use crate::lease::LeaseState;
use crate::proto::{LeaseKey, LeaseValue};

/// The prefix of the keys of leases.
pub const LEASES: &str = "lease:";

/// The prefix of the keys of counted colonies. The value is a `CensusEntry` without its mesh id.
///
/// Census objects hold keys with this word: another one would lose the colonies that they count.
pub const COLONIES: &str = "living:";

/// The prefix of the keys of the counts of census shards. The value is a `CountValue`.
pub const COUNTS: &str = "count:";

/// Returns the key of a lease. The length of the id in front makes it unambiguous.
#[must_use]
pub fn lease_key(key: &LeaseKey) -> String {
    format!("{}{}", lease_prefix(key), key.scope)
}

/// Returns the common prefix of the keys of all leases of that kind and id, whatever their scope.
#[must_use]
pub fn lease_prefix(key: &LeaseKey) -> String {
    format!("{LEASES}{}:{}:{}", key.kind, key.id.len(), key.id)
}

/// Parses what [`lease_key`] returned; `None` for any other text.
#[must_use]
pub fn parse_lease_key(text: &str) -> Option<LeaseKey> {
    let mut parts = text.strip_prefix(LEASES)?.splitn(3, ':');
    let kind = parts.next()?.parse().ok()?;
    let length = parts.next()?.parse().ok()?;
    let (id, scope) = parts.next()?.split_at_checked(length)?;
    Some(LeaseKey {
        kind,
        id: id.to_owned(),
        scope: scope.to_owned(),
    })
}

/// Encodes a lease as a stored value.
#[must_use]
pub fn encode_lease(lease: &StoredLease) -> Vec<u8> {
    let StoredLease {
        state,
        registered_at,
        record,
    } = lease.clone();
    let value = LeaseValue {
        owner: state.owner,
        registered_at_ms: registered_at.as_millis(),
        expires_at_ms: state.expires_at.as_millis(),
        counted: state.counted,
        cached_until_ms: state.cached_until.as_millis(),
        record,
        mesh_notified_until_ms: state.mesh_notified_until.as_millis(),
    };
    value.encode_to_vec()
}

/// Decodes a stored value into a lease.
///
/// # Errors
/// `internal` if the value is no lease.
pub fn decode_lease(value: &[u8]) -> Result<StoredLease, Error> {
    let value: LeaseValue = decode(value)?;
    Ok(StoredLease {
        state: LeaseState {
            owner: value.owner,
            expires_at: UnixMillis::from_millis(value.expires_at_ms),
            counted: value.counted,
            cached_until: UnixMillis::from_millis(value.cached_until_ms),
            mesh_notified_until: UnixMillis::from_millis(value.mesh_notified_until_ms),
        },
        registered_at: UnixMillis::from_millis(value.registered_at_ms),
        record: value.record,
    })
}

/// Decodes a stored message.
///
/// # Errors
/// `internal` if the value is no such message.
pub fn decode<M: Message + Default>(value: &[u8]) -> Result<M, Error> {
    M::decode(value).map_err(storage_error)
}

/// Returns the error of a storage that fails.
pub fn storage_error(cause: impl std::fmt::Display) -> Error {
    Error::internal("the storage failed").with_cause(cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn key_names_one_lease_and_no_other(
            kind in 1..=6, id in ".{0,20}", scope in ".{0,20}", other in ".{0,4}"
        ) {
            let key = LeaseKey { kind, id, scope };
            let text = lease_key(&key);
            prop_assert_eq!(parse_lease_key(&text), Some(key.clone()));
            prop_assert!(text.starts_with(&lease_prefix(&key)));
            let longer = LeaseKey { id: key.id.clone() + &other + "!", ..key.clone() };
            prop_assert!(!lease_key(&longer).starts_with(&lease_prefix(&key)));
        }

        #[test]
        fn lease_survives_encoding(
            owner in ".{0,9}", numbers in any::<[i64; 4]>(), counted: bool, record: Vec<u8>
        ) {
            let [registered_at, expires_at, cached_until, mesh_notified_until] =
                numbers.map(UnixMillis::from_millis);
            let state = LeaseState {
                owner,
                expires_at,
                counted,
                cached_until,
                mesh_notified_until,
            };
            let lease = StoredLease { state, registered_at, record };
            prop_assert_eq!(decode_lease(&encode_lease(&lease)).unwrap(), lease);
        }
    }

    #[test]
    fn other_keys_name_no_lease() {
        for text in [
            "",
            "living:m",
            "lease:",
            "lease:1:9:short",
            "lease:x:1:m",
            "lease:1:2:\u{e4}\u{e4}",
        ] {
            let parsed = parse_lease_key(text);
            assert_eq!(parsed.filter(|key| lease_key(key) != text), None, "{text}");
        }
    }
}

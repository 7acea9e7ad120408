//! Where things are in an object's key-value storage: a key for each
//! lease, each living colony and each part's count.
//!
//! A value is a protobuf message of `coral.registry.v1`, so that what one version wrote another can read.

use crate::protos::coral::registry::v1::{LeaseKey, StoredLease as Record};
use crate::registry::lease::Holder;
use crate::registry::store::StoredLease;

/// What the keys of leases begin with.
pub const LEASES: &str = "lease:";

/// What the keys of living colonies begin with. The value is a `CensusEntry` without the id, which is in the key.
pub const LIVING: &str = "living:";

/// What the keys of the counts of the census's parts begin with.
pub const COUNTS: &str = "count:";

/// Where a lease is. With the length of its id in front, no id and scope can be read as another pair.
#[must_use]
pub fn lease_key(key: &LeaseKey) -> String {
    format!("{}{}", leases_of(key), key.scope)
}

/// What the keys of all leases of that kind and id begin with, whatever their scope.
#[must_use]
pub fn leases_of(key: &LeaseKey) -> String {
    format!("{LEASES}{}:{}:{}", key.kind, key.id.len(), key.id)
}

/// The lease whose [`lease_key`] this is.
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

/// A lease as it is stored.
#[must_use]
pub fn to_record(lease: &StoredLease) -> Record {
    let StoredLease {
        holder,
        registered_at_ms,
        record,
    } = lease.clone();
    Record {
        owner: holder.owner,
        registered_at_ms,
        expires_at_ms: holder.expires_at_ms,
        counted: holder.counted,
        cached_until_ms: holder.cached_until_ms,
        record,
        told_until_ms: holder.told_until_ms,
    }
}

/// A stored lease as the rules see it.
#[must_use]
pub fn from_record(stored: Record) -> StoredLease {
    StoredLease {
        holder: Holder {
            owner: stored.owner,
            expires_at_ms: stored.expires_at_ms,
            counted: stored.counted,
            cached_until_ms: stored.cached_until_ms,
            told_until_ms: stored.told_until_ms,
        },
        registered_at_ms: stored.registered_at_ms,
        record: stored.record,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_key_names_its_lease_and_no_other(
            kind in 1..=6, id in ".{0,20}", scope in ".{0,20}", other in ".{0,4}"
        ) {
            let key = LeaseKey { kind, id, scope };
            let text = lease_key(&key);
            prop_assert_eq!(parse_lease_key(&text), Some(key.clone()));
            prop_assert!(text.starts_with(&leases_of(&key)));
            let longer = LeaseKey { id: key.id.clone() + &other + "!", ..key.clone() };
            prop_assert!(!lease_key(&longer).starts_with(&leases_of(&key)));
        }

        #[test]
        fn a_lease_is_stored_as_it_is(
            owner in ".{0,9}", numbers in any::<[i64; 4]>(), counted: bool, record: Vec<u8>
        ) {
            let [registered_at_ms, expires_at_ms, cached_until_ms, told_until_ms] = numbers;
            let holder = Holder { owner, expires_at_ms, counted, cached_until_ms, told_until_ms };
            let lease = StoredLease { holder, registered_at_ms, record };
            prop_assert_eq!(from_record(to_record(&lease)), lease);
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

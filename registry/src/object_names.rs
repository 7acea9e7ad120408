//! Names of objects, and the role that a name gives an object.
//!
//! A lease has its own object, addressed by its id: a single writer that scales without bound and
//! costs nothing when idle. With `REGISTRY_SHARDS=N` the same names are spread over N objects by a
//! stable hash, for hosts that keep a file for every object that was ever addressed.

use std::num::NonZeroU32;

use crate::proto::{LeaseKey, LeaseKind};

/// The number of shards of the census: enough that no single object sees every registration.
pub const CENSUS_SHARDS: u32 = 16;

/// The prefix of the names of objects that hold the leases of many ids.
pub const SHARD_PREFIX: &str = "shard";

/// The prefix of the names of objects that keep the quotas of a caller's address.
pub const CLIENT_PREFIX: &str = "client";

/// The prefix of the name of a mesh's own object.
const COLONY_PREFIX: &str = "colony";

/// The name of the object that adds the counts of all census shards up.
pub const CENSUS_TOTAL: &str = "census:total";

/// The role of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Holds leases.
    Leases,
    /// Keeps one shard of the census.
    CensusShard(u32),
    /// Adds the counts of the census shards up.
    CensusTotal,
}

/// Returns the role of the object of that name.
#[must_use]
pub fn role(name: &str) -> Role {
    match name.strip_prefix("census:").map(str::parse) {
        Some(Ok(shard)) => Role::CensusShard(shard),
        Some(Err(_)) if name == CENSUS_TOTAL => Role::CensusTotal,
        _ => Role::Leases,
    }
}

/// Returns the name of the object that holds a lease.
///
/// # Examples
/// ```
/// use coral_registry::object_names::lease_object;
/// use coral_registry::proto::{LeaseKey, LeaseKind};
///
/// let key = LeaseKey {
///     kind: LeaseKind::Colony.into(),
///     id: "my-mesh".to_owned(),
///     scope: String::new(),
/// };
/// assert_eq!(lease_object(&key, None), "colony:my-mesh");
/// ```
#[must_use]
pub fn lease_object(key: &LeaseKey, shards: Option<NonZeroU32>) -> String {
    let prefix = match key.kind() {
        LeaseKind::Unspecified => "unspecified",
        // Mailbox and members of a mesh are kept beside its colony's lease.
        LeaseKind::Colony | LeaseKind::RendezvousRecord | LeaseKind::Member => COLONY_PREFIX,
        LeaseKind::Agent => "agent",
        LeaseKind::RelaySession => "relay",
        // The caller names the object: a quota is kept beside what it limits.
        LeaseKind::Quota => "quota",
    };
    // Not the scope: an agent is also looked up without it.
    object(format!("{prefix}:{}", key.id), shards)
}

/// Returns the name of a mesh's own object.
#[must_use]
pub fn mesh_object(mesh_id: &str, shards: Option<NonZeroU32>) -> String {
    object(format!("{COLONY_PREFIX}:{mesh_id}"), shards)
}

/// Returns the name of the object that keeps the quotas of a caller's address.
#[must_use]
pub fn client_object(client: &str, shards: Option<NonZeroU32>) -> String {
    object(format!("{CLIENT_PREFIX}:{client}"), shards)
}

fn object(name: String, shards: Option<NonZeroU32>) -> String {
    match shards {
        None => name,
        Some(shards) => format!("{SHARD_PREFIX}:{}", stable_hash(&name) % shards),
    }
}

/// Returns the name of the object that keeps a shard of the census.
#[must_use]
pub fn census_object(shard: u32) -> String {
    format!("census:{shard}")
}

/// Returns the shard of the census that counts a colony.
#[must_use]
pub fn census_shard(mesh_id: &str) -> u32 {
    stable_hash(mesh_id) % CENSUS_SHARDS
}

/// Hashes a name for placement. CRC-32 is the same on every version and platform, and spreads
/// names well enough.
#[must_use]
pub fn stable_hash(name: &str) -> u32 {
    crc32fast::hash(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: LeaseKind, id: &str, scope: &str) -> LeaseKey {
        LeaseKey {
            kind: kind.into(),
            id: id.to_owned(),
            scope: scope.to_owned(),
        }
    }

    #[test]
    fn each_lease_has_its_own_object() {
        for (kind, name) in [
            (LeaseKind::Colony, "colony:x"),
            (LeaseKind::Agent, "agent:x"),
            (LeaseKind::RelaySession, "relay:x"),
        ] {
            assert_eq!(lease_object(&key(kind, "x", "m"), None), name);
        }
    }

    #[test]
    fn agent_is_in_the_same_object_with_and_without_its_mesh() {
        for shards in [None, NonZeroU32::new(7)] {
            assert_eq!(
                lease_object(&key(LeaseKind::Agent, "a", "m"), shards),
                lease_object(&key(LeaseKind::Agent, "a", ""), shards)
            );
        }
    }

    #[test]
    fn name_determines_the_role() {
        assert_eq!(role(&census_object(7)), Role::CensusShard(7));
        assert_eq!(role(CENSUS_TOTAL), Role::CensusTotal);
        for name in ["colony:census:7", "shard:3", ""] {
            assert_eq!(role(name), Role::Leases);
        }
    }

    #[test]
    fn shard_of_a_name_never_changes() {
        let shards = NonZeroU32::new(1_000);
        assert_eq!(
            lease_object(&key(LeaseKind::Colony, "mesh-1", ""), shards),
            "shard:174"
        );
        assert_eq!(census_shard("mesh-1"), 5);
    }
}

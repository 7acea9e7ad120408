//! Which Durable Object answers for what.
//!
//! A lease has its own object, addressed by its id: a single writer that scales without bound
//! and costs nothing when idle. With `REGISTRY_SHARDS=N` the same names are spread over N
//! objects by a stable hash, for hosts that keep a file for every object ever touched.

use std::num::NonZeroU32;

use crate::protos::coral::registry::v1::{LeaseKey, LeaseKind};

/// Parts of the census of colonies: enough that no single object sees every birth.
pub const CENSUS_SHARDS: u32 = 16;

/// What the name of an object starts with that holds the leases of many.
pub const SHARD: &str = "shard";

/// What the name of an object starts with that counts what a caller does.
pub const CLIENT: &str = "client";

/// What the name of a mesh's own object starts with.
const COLONY: &str = "colony";

/// The name of the object that adds the parts of the census up.
pub const CENSUS_TOTAL: &str = "census:total";

/// What an object is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It holds leases.
    Leases,
    /// It is a part of the census.
    CensusShard(u32),
    /// It adds the parts up.
    CensusTotal,
}

/// What the object of that name is for.
#[must_use]
pub fn role(name: &str) -> Role {
    match name.strip_prefix("census:").map(str::parse) {
        Some(Ok(shard)) => Role::CensusShard(shard),
        Some(Err(_)) if name == CENSUS_TOTAL => Role::CensusTotal,
        _ => Role::Leases,
    }
}

/// The name of the object that holds a lease.
#[must_use]
pub fn lease_object(key: &LeaseKey, shards: Option<NonZeroU32>) -> String {
    let prefix = match key.kind() {
        LeaseKind::Unspecified => "unspecified",
        // What else a mesh has is kept where its colony's lease is.
        LeaseKind::Colony | LeaseKind::Message | LeaseKind::Member => COLONY,
        LeaseKind::Agent => "agent",
        LeaseKind::RelaySession => "relay",
        // Whoever spends names the object: a quota lies where what it limits is.
        LeaseKind::Quota => "quota",
    };
    // Not the scope: an agent is also looked up without it.
    object(format!("{prefix}:{}", key.id), shards)
}

/// The name of a mesh's own object.
#[must_use]
pub fn mesh_object(mesh_id: &str, shards: Option<NonZeroU32>) -> String {
    object(format!("{COLONY}:{mesh_id}"), shards)
}

/// The name of the object that counts what a caller does.
#[must_use]
pub fn client_object(client: &str, shards: Option<NonZeroU32>) -> String {
    object(format!("{CLIENT}:{client}"), shards)
}

fn object(name: String, shards: Option<NonZeroU32>) -> String {
    match shards {
        None => name,
        Some(shards) => format!("{SHARD}:{}", stable_hash(&name) % shards),
    }
}

/// The name of a part of the census.
#[must_use]
pub fn census_object(shard: u32) -> String {
    format!("census:{shard}")
}

/// The part of the census in which a colony is counted.
#[must_use]
pub fn census_shard(mesh_id: &str) -> u32 {
    stable_hash(mesh_id) % CENSUS_SHARDS
}

/// A hash to place by. CRC-32: the same on every version and platform, and spread well enough for placement.
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
    fn an_agent_is_in_the_same_object_with_and_without_its_mesh() {
        for shards in [None, NonZeroU32::new(7)] {
            assert_eq!(
                lease_object(&key(LeaseKind::Agent, "a", "m"), shards),
                lease_object(&key(LeaseKind::Agent, "a", ""), shards)
            );
        }
    }

    #[test]
    fn a_name_tells_what_the_object_is_for() {
        assert_eq!(role(&census_object(7)), Role::CensusShard(7));
        assert_eq!(role(CENSUS_TOTAL), Role::CensusTotal);
        for name in ["colony:census:7", "shard:3", ""] {
            assert_eq!(role(name), Role::Leases);
        }
    }

    #[test]
    fn shards_never_change_their_place() {
        let shards = NonZeroU32::new(1_000);
        assert_eq!(
            lease_object(&key(LeaseKind::Colony, "mesh-1", ""), shards),
            "shard:174"
        );
        assert_eq!(census_shard("mesh-1"), 5);
    }
}

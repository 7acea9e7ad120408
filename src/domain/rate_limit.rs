//! The limits of calls per minute, and the keys by which calls are counted.

use std::net::IpAddr;

use coral_registry::proto::LeaseKey;
use ip_network::Ipv6Network;
use prost::Message as _;
use sha2::{Digest as _, Sha256};

/// A limit of calls per minute. Its size stands in the host's configuration (`wrangler.toml`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Registrations, relays included, by the caller's address.
    RegisterByClient,
    /// Registrations by lease, a colony or an agent of a mesh, and by the key that is to own it.
    RegisterByLease,
    /// Lookups and polls for rendezvous records by the caller's address.
    LookupByClient,
    /// Polls for the rendezvous records of a mesh by the caller's address.
    PollByMesh,
}

impl Limit {
    /// All limits.
    pub const ALL: [Self; 4] = [
        Self::RegisterByClient,
        Self::RegisterByLease,
        Self::LookupByClient,
        Self::PollByMesh,
    ];

    /// Returns the name of the limit's binding in `wrangler.toml`.
    #[must_use]
    pub const fn binding(self) -> &'static str {
        match self {
            Self::RegisterByClient => "LIMIT_REGISTER_BY_CLIENT",
            Self::RegisterByLease => "LIMIT_REGISTER_BY_LEASE",
            Self::LookupByClient => "LIMIT_LOOKUP_BY_CLIENT",
            Self::PollByMesh => "LIMIT_POLL_BY_MESH",
        }
    }

    /// Returns the name of the counted calls in an error text.
    #[must_use]
    pub const fn counted_calls(self) -> &'static str {
        match self {
            Self::RegisterByClient => "registrations from this address",
            Self::RegisterByLease => "registrations of this id",
            Self::LookupByClient => "lookups from this address",
            Self::PollByMesh => "polls for this mesh from this address",
        }
    }
}

/// Returns the key of a caller: an IPv4 address, or the IPv6 network that one customer gets (a
/// /64), as its addresses are free to choose.
#[must_use]
pub fn client_key(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => address.to_string(),
            None => Ipv6Network::new_truncate(address, 64)
                .map_or_else(|_| address.to_string(), |network| network.to_string()),
        },
    }
}

/// Returns the key of a registration. The owner is part of it: rejected registrations of another
/// caller must not use up the owner's share, or the lease would expire.
#[must_use]
pub fn lease_key(key: &LeaseKey, owner: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(key.encode_length_delimited_to_vec());
    digest.update(owner);
    format!("{:x}", digest.finalize())
}

/// Returns the key of a poll: each caller is counted apart, so that others cannot use up the share
/// of the mesh's colony.
#[must_use]
pub fn poll_key(mesh_id: &str, address: Option<IpAddr>) -> String {
    let client = address.map(client_key).unwrap_or_default();
    format!("{:x}", Sha256::digest(format!("{client} {mesh_id}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lease_key::agent;

    #[test]
    fn lease_is_counted_apart_for_each_owner() {
        let one = lease_key(&agent("c", "a/b"), "k");
        assert_eq!(one, lease_key(&agent("c", "a/b"), "k"));
        for other in [
            lease_key(&agent("c", "a/b"), "another"),
            lease_key(&agent("b/c", "a"), "k"),
            lease_key(&agent("c", "a"), "/bk"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn client_is_an_ipv4_address_or_an_ipv6_network() {
        for (address, key) in [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(client_key(address.parse().unwrap()), key);
        }
    }
}

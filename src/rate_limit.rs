//! How often somebody may call: what is counted, and by what.

use std::net::IpAddr;
use std::time::Duration;

use connect::Error;
use ip_network::Ipv6Network;
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::protos::coral::registry::v1::LeaseKey;

/// What is counted. How many are allowed in a minute stands in `wrangler.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Registrations, relays included, by the caller's address.
    RegisterByClient,
    /// Registrations by what is registered, a colony or an agent of a mesh, and by the key that shall own it.
    RegisterByLease,
    /// Lookups and polls for messages by the caller's address.
    LookupByClient,
    /// Polls for the messages of a mesh by the caller's address.
    PollByMesh,
}

/// The period over which `wrangler.toml` counts, and so when it is worth trying again.
const PERIOD: Duration = Duration::from_secs(60);

impl Limit {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::RegisterByClient,
        Self::RegisterByLease,
        Self::LookupByClient,
        Self::PollByMesh,
    ];

    /// The name of its binding in `wrangler.toml`.
    #[must_use]
    pub const fn binding(self) -> &'static str {
        match self {
            Self::RegisterByClient => "LIMIT_REGISTER_BY_CLIENT",
            Self::RegisterByLease => "LIMIT_REGISTER_BY_LEASE",
            Self::LookupByClient => "LIMIT_LOOKUP_BY_CLIENT",
            Self::PollByMesh => "LIMIT_POLL_BY_MESH",
        }
    }
}

/// Counts calls.
#[allow(
    async_fn_in_trait,
    reason = "an isolate has one thread: futures need not be Send"
)]
pub trait Limiter {
    /// Whether one more of `key` is within the limit. It is where nothing counts.
    async fn allows(&self, limit: Limit, key: &str) -> bool;
}

/// Counts a call.
///
/// # Errors
/// `resource_exhausted` beyond the limit, with when to try again.
pub async fn check(limiter: &impl Limiter, limit: Limit, key: &str) -> Result<(), Error> {
    if limiter.allows(limit, key).await {
        return Ok(());
    }
    let what = match limit {
        Limit::RegisterByClient => "registrations from this address",
        Limit::RegisterByLease => "registrations of this id",
        Limit::LookupByClient => "lookups from this address",
        Limit::PollByMesh => "polls for this mesh from this address",
    };
    Err(
        Error::resource_exhausted(format!("too many {what}: try again in a minute"))
            .with_retry_after(PERIOD),
    )
}

/// By what a caller is counted: an IPv4 address, or the IPv6 network that one customer gets (a /64),
/// as its addresses are free to choose.
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

/// By what a registration is counted. The owner is part of it: who asks in vain for somebody else's
/// lease must not use up what its owner may ask, or the lease would lapse.
#[must_use]
pub fn lease_key(key: &LeaseKey, owner: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(key.encode_length_delimited_to_vec());
    digest.update(owner);
    format!("{:x}", digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_counted_for_each_owner_by_itself() {
        let agent = |id: &str, scope: &str| LeaseKey {
            kind: 2,
            id: id.to_owned(),
            scope: scope.to_owned(),
        };
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
    fn a_client_is_an_ipv4_address_or_an_ipv6_network() {
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

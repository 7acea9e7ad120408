//! Cache of hot leases: the memory cache of the isolate, and behind it the KV cache.
//!
//! A copy is never served beyond the end of its lease. As another owner gets the lease only after
//! that, no copy of the old owner is served while a new owner's lease is live. Nor is a copy served
//! that is older than [`CACHE_MAX_AGE`], whatever KV does, so that a lookup returns what was true
//! at most a minute ago. (A live lease can be taken over only from an agent, with `AGENT_TAKEOVER`.
//! Then that minute is the bound for the old owner too.)
//!
//! Only the leases of hot keys are cached. An isolate reads KV only for keys that the object
//! reported as hot, so a lookup of any other lease costs no KV operation, and a registration never
//! reads KV.

mod lease_cache;
mod memory_cache;

use std::time::Duration;

use connect::UnixMillis;
use coral_registry::hot_keys::CACHE_MAX_AGE;
use coral_registry::proto::CachedLease;

pub use lease_cache::LeaseCache;
pub use memory_cache::MemoryCache;

/// The difference that the clocks of a Worker and of an object may have: a copy is dropped that
/// much before its lease expires.
pub const CLOCK_SKEW: Duration = Duration::from_secs(1);

/// The settings of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    /// True if anything is cached.
    pub is_enabled: bool,
    /// The time for which the memory cache serves a copy without reading KV.
    pub memory_ttl: Duration,
    /// The number of leases in the memory cache.
    pub memory_entries: usize,
}

/// Returns whether a copy may be served at `now`.
fn may_be_served(copy: &CachedLease, now: UnixMillis) -> bool {
    let Some(lease) = &copy.lease else {
        return false;
    };
    let is_live = now + CLOCK_SKEW <= UnixMillis::from_millis(lease.expires_at_ms);
    let age = now.duration_since(UnixMillis::from_millis(copy.current_at_ms));
    is_live && age < CACHE_MAX_AGE
}

/// Returns the time of the registration that a copy holds; the earliest time for an empty copy.
fn registered_at_ms(copy: &CachedLease) -> i64 {
    let lease = copy.lease.as_ref();
    lease.map_or(i64::MIN, |lease| lease.registered_at_ms)
}

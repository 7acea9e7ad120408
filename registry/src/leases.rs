//! Registering, looking up, releasing and evicting: the rules of a lease applied to the store.

use std::time::Duration;

use connect::{Error, Runtime, UnixMillis};
use prost::Message as _;

use crate::hot_keys::{CACHE_MAX_AGE, CacheHint};
use crate::lease::{Decision, LeaseState, decide};
use crate::object::{RegistryObject, checked};
use crate::proto::register_response::Outcome;
use crate::proto::{
    Conflict, Granted, Lease, LeaseKey, LeaseKind, LookupRequest, LookupResponse, RegisterRequest,
};
use crate::storage::{Store, StoredLease};

impl<S: Store, R: Runtime> RegistryObject<S, R> {
    /// Grants, renews or refuses a lease, with nothing to wait for between reading and writing.
    /// Returns the outcome and the alarm that it needs.
    pub(crate) fn register_lease(
        &self,
        request: RegisterRequest,
    ) -> Result<(Outcome, Option<UnixMillis>), Error> {
        let key = checked(request.key)?;
        let now = self.now();
        let state = self.store.state(&key)?;
        let counted = match decide(state.as_ref(), &request.owner, request.takeover, now) {
            Decision::Grant { counted } => counted,
            Decision::Refuse { expires_at } => {
                let expires_at_ms = expires_at.as_millis();
                return Ok((Outcome::Conflict(Conflict { expires_at_ms }), None));
            }
        };
        let was_live = state.as_ref().is_some_and(|state| state.is_live(now));
        let state = state.unwrap_or_default();
        let ttl = ttl(request.ttl_ms);
        let expires_at = now + ttl;
        // The mesh's membership entry must outlive the agent's lease. Extending it by one extra
        // TTL means that it is refreshed at most every other renewal.
        let notify_mesh_until = (key.kind() == LeaseKind::Agent
            && state.mesh_notified_until < expires_at)
            .then(|| expires_at + ttl);
        let mut lease = StoredLease {
            state: LeaseState {
                owner: request.owner,
                expires_at,
                counted,
                cached_until: state.cached_until,
                mesh_notified_until: notify_mesh_until.unwrap_or(state.mesh_notified_until),
            },
            registered_at: now,
            record: request.record,
        };
        let rewrite_cache = now < state.cached_until && {
            let stored = self.store.lease(&key, now)?;
            stored.is_some_and(|stored| stored.record != lease.record)
        };
        if rewrite_cache {
            lease.state.cached_until = now + CACHE_MAX_AGE;
        }
        self.store.put(&key, &lease)?;
        let granted = Granted {
            expires_at_ms: expires_at.as_millis(),
            registered_at_ms: now.as_millis(),
            rewrite_cache,
            is_new: !was_live,
            notify_mesh_until_ms: notify_mesh_until.map_or(0, UnixMillis::as_millis),
        };
        Ok((Outcome::Granted(granted), self.alarm_for(expires_at, now)))
    }

    /// Looks up a lease, and counts the lookup of a live one.
    pub(crate) fn lookup_lease(&self, request: LookupRequest) -> Result<LookupResponse, Error> {
        let now = self.now();
        let key = checked(request.key)?;
        let stored = self.store.lease(&key, now)?;
        let expired = stored.as_ref().is_some_and(|lease| !lease.is_live(now));
        let lease = stored.filter(|_| !expired).map(|lease| Lease {
            record: lease.record,
            registered_at_ms: lease.registered_at.as_millis(),
            expires_at_ms: lease.state.expires_at.as_millis(),
        });
        let hint = match lease {
            Some(_) => self.hot_keys.record_lookup(&key.encode_to_vec(), now),
            None => CacheHint::default(),
        };
        if hint.fill {
            self.store.mark_cached(&key, now + CACHE_MAX_AGE)?;
        }
        Ok(LookupResponse {
            lease,
            expired,
            hot: hint.hot,
            fill_cache: hint.fill,
        })
    }

    /// Removes a live lease. Returns whether there was one.
    pub(crate) async fn release_lease(&self, key: Option<LeaseKey>) -> Result<bool, Error> {
        let key = checked(key)?;
        let state = self.store.state(&key)?;
        let was_live = state.is_some_and(|state| state.is_live(self.now()));
        if was_live {
            self.store.delete(&key)?;
            self.delete_all_if_empty().await?;
        }
        Ok(was_live)
    }

    /// Expires a live lease now. Returns whether there was one. The next sweep removes the lease as
    /// it removes all expired ones, and reports it to the census.
    pub(crate) fn evict_lease(&self, key: &LeaseKey) -> Result<bool, Error> {
        let now = self.now();
        let stored = self.store.lease(key, now)?;
        let Some(mut lease) = stored.filter(|lease| lease.is_live(now)) else {
            return Ok(false);
        };
        lease.state.expires_at = now - Duration::from_millis(1);
        self.store.put(key, &lease)?;
        Ok(true)
    }
}

/// Reads a lifetime as it arrives; a negative one is none.
pub(crate) fn ttl(milliseconds: i64) -> Duration {
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
}

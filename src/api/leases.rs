//! Leases as the handlers use them: through the cache, from the registry.

use std::time::Duration;

use connect::{Error, UnixMillis, wkt};
use coral_registry::proto::register_response::Outcome;
use coral_registry::proto::{
    CensusEntry, Granted, Lease, LeaseKey, LeaseKind, Member, RegisterRequest,
};

use super::Discovery;
use crate::cache::LeaseCache;
use crate::notifications::Notifier;
use crate::ports::{Host, Registry as _};
use crate::telemetry::LookupSource;

/// The longest time that a report to the census is under way, with batching and retries.
const REPORT_TIME: Duration = Duration::from_secs(10);

impl<H: Host> Discovery<H> {
    fn cache(&self) -> LeaseCache<'_, H::KeyValue, H::Runtime> {
        LeaseCache {
            key_value: self.host.key_value(),
            memory: &self.state.memory_cache,
            settings: self.state.config.cache,
            runtime: self.host.runtime(),
            usage: &self.usage,
            log: &self.state.log,
        }
    }

    fn notifier(&self) -> Notifier<'_, H::Runtime, H::Registry> {
        Notifier {
            runtime: self.host.runtime(),
            registry: self.host.registry(),
            batches: &self.state.batches,
            log: &self.state.log,
            delay: self.state.config.notification_delay(),
        }
    }

    /// Gets or renews a lease; `subject` names it in an error text.
    ///
    /// # Errors
    /// `already_exists` while another owner's lease is live.
    pub(super) async fn register_lease(
        &self,
        subject: &str,
        key: LeaseKey,
        request: RegisterRequest,
    ) -> Result<Granted, Error> {
        let requested_at = self.now();
        let cached_record = self.cache().is_cached(&key).then(|| request.record.clone());
        let request = RegisterRequest {
            key: Some(key.clone()),
            ..request
        };
        match self.host.registry().register(request).await? {
            Outcome::Granted(granted) => {
                if let Some(record) = cached_record {
                    let lease = Lease {
                        record,
                        registered_at_ms: granted.registered_at_ms,
                        expires_at_ms: granted.expires_at_ms,
                    };
                    self.cache()
                        .refresh(&key, lease, requested_at, granted.rewrite_cache);
                }
                self.notify(key, &granted);
                Ok(granted)
            }
            Outcome::Conflict(conflict) => {
                // The phrases of both legacy servers: people search their logs for either.
                let until = UnixMillis::from_millis(conflict.expires_at_ms);
                let until = wkt::Timestamp::from(until);
                Err(Error::already_exists(format!(
                    "{subject} '{}' already registered with different public key until {until} \
                     (already registered with different pubkey): this may be a split brain, \
                     wait until the lease expires or use another id",
                    key.id
                )))
            }
        }
    }

    /// Notifies the census of a new colony, and an agent's mesh of the agent if there is an admin
    /// service.
    fn notify(&self, key: LeaseKey, granted: &Granted) {
        let config = &self.state.config;
        if granted.is_new && key.kind() == LeaseKind::Colony {
            // Before this time the lease's own object has reported the colony, or its expiry.
            let provisional_until = UnixMillis::from_millis(granted.expires_at_ms)
                + config.cleanup_interval * 2
                + REPORT_TIME;
            self.notifier().colony_registered(CensusEntry {
                mesh_id: key.id,
                at_ms: granted.registered_at_ms,
                provisional_until_ms: provisional_until.as_millis(),
            });
        } else if granted.notify_mesh_until_ms > 0 && config.admin_key_hash.is_some() {
            let member = Member {
                agent_id: key.id,
                until_ms: granted.notify_mesh_until_ms,
            };
            self.notifier().agent_registered(key.scope, member);
        }
    }

    /// Returns the record of a live lease as its object has it, past the cache.
    ///
    /// # Errors
    /// `unavailable`
    pub(super) async fn record(&self, key: LeaseKey) -> Result<Option<Vec<u8>>, Error> {
        let response = self.host.registry().lookup(key).await?;
        Ok(response.lease.map(|lease| lease.record))
    }

    /// Looks up a live lease; `subject` names it in an error text.
    ///
    /// # Errors
    /// `not_found`. Clients retry while the text contains `not found`, so both texts do.
    pub(super) async fn lookup_lease(&self, subject: &str, key: LeaseKey) -> Result<Lease, Error> {
        if let Some((lease, source)) = self.cache().get(&key).await {
            self.usage.set_lookup_source(source);
            return Ok(lease);
        }
        let requested_at = self.now();
        self.usage.set_lookup_source(LookupSource::Object);
        let response = self.host.registry().lookup(key.clone()).await?;
        if let (Some(lease), true) = (&response.lease, response.hot) {
            self.cache()
                .insert(&key, lease, requested_at, response.fill_cache);
        }
        let id = key.id;
        match (response.lease, response.expired) {
            (Some(lease), _) => Ok(lease),
            (None, true) => Err(Error::not_found(format!(
                "{subject} not found: {id} (its registration has expired)"
            ))),
            (None, false) => Err(Error::not_found(format!("{subject} not found: {id}"))),
        }
    }

    /// Removes the copies of a lease from the cache.
    pub(super) fn invalidate(&self, key: &LeaseKey) {
        self.cache().invalidate(key);
    }
}

/// Returns the time at which a granted lease expires.
pub(super) fn expires_at(granted: &Granted) -> wkt::Timestamp {
    UnixMillis::from_millis(granted.expires_at_ms).into()
}

/// Returns the time of a lease's last registration.
pub(super) fn registered_at(lease: &Lease) -> wkt::Timestamp {
    UnixMillis::from_millis(lease.registered_at_ms).into()
}

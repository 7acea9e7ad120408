//! The cache as one request uses it.

use std::rc::Rc;

use connect::UnixMillis;
use coral_registry::hot_keys::CACHE_MAX_AGE;
use coral_registry::proto::{CachedLease, Lease, LeaseKey, LeaseKind};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::{CacheSettings, MemoryCache, may_be_served, registered_at_ms};
use crate::ports::{KeyValue, Runtime};
use crate::telemetry::{Log, LookupSource, RequestUsage};

/// The cache of hot leases, in the hands of one request.
#[derive(Debug)]
pub struct LeaseCache<'a, K, R> {
    /// The KV store that all isolates share.
    pub key_value: &'a K,
    /// The isolate's memory cache.
    pub memory: &'a MemoryCache,
    /// The settings.
    pub settings: CacheSettings,
    /// The clock, and the executor of writes to KV.
    pub runtime: &'a R,
    /// The usage of the request.
    pub usage: &'a RequestUsage,
    /// The log of failures of KV.
    pub log: &'a Rc<Log>,
}

impl<K: KeyValue, R: Runtime> LeaseCache<'_, K, R> {
    /// Returns a copy of a hot lease that may be served, and its source.
    pub async fn get(&self, key: &LeaseKey) -> Option<(Lease, LookupSource)> {
        if !self.is_cached(key) {
            return None;
        }
        let now = self.runtime.now();
        let entry = self.memory.get(key, now)?;
        if now < entry.fresh_until {
            return Some((entry.copy.lease?, LookupSource::Memory));
        }
        let value = self.read(key).await?;
        // KV may have taken its time.
        let now = self.runtime.now();
        let copy = CachedLease::decode(value.as_slice()).ok()?;
        // The value in KV may be older than what this isolate saw, for example a registration.
        let is_older = registered_at_ms(&copy) < registered_at_ms(&entry.copy);
        if is_older || !may_be_served(&copy, now) {
            return None;
        }
        self.remember(key, copy.clone(), now);
        Some((copy.lease?, LookupSource::Kv))
    }

    /// Inserts a lease that the object called hot. `requested_at` is before the object was called;
    /// `fill` is true if the object wants a copy in KV.
    pub fn insert(&self, key: &LeaseKey, lease: &Lease, requested_at: UnixMillis, fill: bool) {
        if !self.is_cached(key) {
            return;
        }
        let copy = copy(lease.clone(), requested_at);
        let known = self.memory.get(key, requested_at);
        if known.is_some_and(|known| registered_at_ms(&known.copy) > registered_at_ms(&copy)) {
            // This isolate has registered something newer while the response was on its way.
            return;
        }
        if fill {
            self.write(key, &copy);
        }
        self.remember(key, copy, requested_at);
    }

    /// Updates the copies of a lease that [may be cached](Self::is_cached) after a registration.
    /// `rewrite` is true if the object says that KV may hold a copy that is now wrong.
    pub fn refresh(&self, key: &LeaseKey, lease: Lease, requested_at: UnixMillis, rewrite: bool) {
        let copy = copy(lease, requested_at);
        if rewrite {
            self.write(key, &copy);
        }
        if self.memory.get(key, requested_at).is_some() {
            self.remember(key, copy, requested_at);
        }
    }

    /// Removes the copies of a lease that can be reached: in KV an empty value takes their place,
    /// and another isolate's memory may serve one for a moment.
    pub fn invalidate(&self, key: &LeaseKey) {
        if self.is_cached(key) {
            self.memory.remove(key);
            self.write(key, &CachedLease::default());
        }
    }

    /// Returns whether a lease of that key may be cached. Agents looked up without their mesh are
    /// not: which of their leases is returned can change without a write to any of them.
    pub fn is_cached(&self, key: &LeaseKey) -> bool {
        let names_one_lease = match key.kind() {
            LeaseKind::Colony => true,
            LeaseKind::Agent => !key.scope.is_empty(),
            LeaseKind::RelaySession
            | LeaseKind::RendezvousRecord
            | LeaseKind::Quota
            | LeaseKind::Member
            | LeaseKind::Unspecified => false,
        };
        self.settings.is_enabled && names_one_lease
    }

    fn remember(&self, key: &LeaseKey, copy: CachedLease, now: UnixMillis) {
        let CacheSettings {
            memory_ttl,
            memory_entries,
            ..
        } = self.settings;
        self.memory
            .insert(key, copy, now + memory_ttl, memory_entries);
    }

    /// Reads from KV. A failure is logged, and the object handles the lookup.
    async fn read(&self, key: &LeaseKey) -> Option<Vec<u8>> {
        if !self.key_value.is_available() {
            return None;
        }
        self.usage.update(|usage| usage.kv_reads += 1);
        match self.key_value.get(&kv_key(key)).await {
            Ok(value) => value,
            Err(error) => {
                let now = self.runtime.now();
                self.log.warn_error("KV cannot be read", &error, now);
                None
            }
        }
    }

    /// Writes to KV in a background task. A failure is logged and changes no response.
    fn write(&self, key: &LeaseKey, copy: &CachedLease) {
        if !self.key_value.is_available() {
            return;
        }
        self.usage.update(|usage| usage.kv_writes += 1);
        let (key, value) = (kv_key(key), copy.encode_to_vec());
        let (key_value, runtime) = (self.key_value.clone(), self.runtime.clone());
        let log = Rc::clone(self.log);
        self.runtime.spawn(async move {
            if let Err(error) = key_value.put(&key, &value, Some(CACHE_MAX_AGE)).await {
                log.warn_error("KV cannot be written", &error, runtime.now());
            }
        });
    }
}

fn copy(lease: Lease, current_at: UnixMillis) -> CachedLease {
    CachedLease {
        lease: Some(lease),
        current_at_ms: current_at.as_millis(),
    }
}

/// Returns the key of a lease in KV: a hash, as keys have at most 512 bytes and two ids have more.
fn kv_key(key: &LeaseKey) -> String {
    let digest = Sha256::digest(key.encode_to_vec());
    format!("lease:{digest:x}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_executor::block_on;

    use super::*;
    use crate::cache::CLOCK_SKEW;
    use crate::domain::lease_key;
    use crate::telemetry::{LogFormat, LogLevel};
    use crate::testing::{TestHost, TestHostRuntime, TestKeyValue, TestSink};

    const fn at(millis: i64) -> UnixMillis {
        UnixMillis::from_millis(millis)
    }

    fn colony(id: usize) -> LeaseKey {
        lease_key::colony(&id.to_string())
    }

    fn lease(expires_at_ms: i64) -> Lease {
        Lease {
            record: b"record".to_vec(),
            registered_at_ms: 0,
            expires_at_ms,
        }
    }

    /// Runs a test on an empty cache whose memory holds three leases.
    fn with_cache(test: impl FnOnce(&TestHost, &LeaseCache<'_, TestKeyValue, TestHostRuntime>)) {
        let host = TestHost::default();
        let sink = Box::new(TestSink::default());
        let cache = LeaseCache {
            key_value: &host.key_value,
            memory: &MemoryCache::default(),
            settings: CacheSettings {
                is_enabled: true,
                memory_ttl: Duration::from_secs(1),
                memory_entries: 3,
            },
            runtime: &host.runtime,
            usage: &RequestUsage::default(),
            log: &Rc::new(Log::new(LogLevel::Info, LogFormat::Line, sink)),
        };
        test(&host, &cache);
    }

    #[test]
    fn memory_cache_is_bounded_and_drops_the_oldest() {
        with_cache(|host, cache| {
            for id in 0..10 {
                let requested_at = at(i64::try_from(id).unwrap());
                cache.insert(&colony(id), &lease(1_000_000), requested_at, false);
            }
            assert_eq!(cache.memory.len(), 3);
            host.set_now(at(10));
            let is_cached = |id| block_on(cache.get(&colony(id))).is_some();
            assert!(is_cached(9) && is_cached(7) && !is_cached(6));
        });
    }

    #[test]
    fn copy_is_served_until_just_before_its_lease_expires() {
        with_cache(|host, cache| {
            cache.insert(&colony(1), &lease(5_000), at(3_500), false);
            let is_served = |now| {
                host.set_now(now);
                block_on(cache.get(&colony(1))).is_some()
            };
            assert!(is_served(at(5_000) - CLOCK_SKEW));
            assert!(!is_served(at(5_001) - CLOCK_SKEW));
        });
    }

    #[test]
    fn kv_is_read_only_for_what_the_isolate_knows_to_be_there() {
        with_cache(|host, cache| {
            assert!(block_on(cache.get(&colony(1))).is_none());
            assert_eq!(host.key_value.reads.get(), 0);
            cache.insert(&colony(1), &lease(1_000_000), at(0), true);
            let source = |now| {
                host.set_now(at(now));
                let found = block_on(cache.get(&colony(1)));
                found.map(|(_, source)| source)
            };
            assert_eq!(source(999), Some(LookupSource::Memory));
            assert_eq!(source(1_000), Some(LookupSource::Kv));
            assert_eq!(source(1_001), Some(LookupSource::Memory));
            assert_eq!((host.key_value.reads.get(), source(60_000)), (1, None));
        });
    }

    #[test]
    fn response_that_was_long_on_its_way_does_not_hide_a_registration() {
        with_cache(|host, cache| {
            let registered = Lease {
                record: b"newer".to_vec(),
                registered_at_ms: 50,
                ..lease(1_000_000)
            };
            cache.insert(&colony(1), &lease(1_000_000), at(0), true);
            cache.refresh(&colony(1), registered.clone(), at(50), true);
            cache.insert(&colony(1), &lease(1_000_000), at(10), true);
            for now in [100, 30_000] {
                host.set_now(at(now));
                let found = block_on(cache.get(&colony(1)));
                assert_eq!(found.map(|(found, _)| found), Some(registered.clone()));
            }
            assert_eq!(host.key_value.writes.get(), 2);
        });
    }

    #[test]
    fn agents_without_their_mesh_and_relay_sessions_are_not_cached() {
        with_cache(|host, cache| {
            for key in [lease_key::agent("1", ""), lease_key::relay_session("1")] {
                cache.insert(&key, &lease(1_000_000), at(0), true);
                assert!(cache.memory.is_empty() && host.key_value.writes.get() == 0);
            }
        });
    }

    #[test]
    fn failing_kv_is_a_warning_and_a_miss() {
        with_cache(|host, cache| {
            cache.insert(&colony(1), &lease(1_000_000), at(0), true);
            host.set_now(at(1_000));
            host.key_value.fails.set(true);
            assert!(block_on(cache.get(&colony(1))).is_none());
            assert_eq!(cache.usage.counts().kv_reads, 1);
        });
    }
}

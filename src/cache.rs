//! Copies of hot leases: in the isolate's memory, and behind it in KV.
//!
//! A copy is never served beyond the lease's last moment. As another owner gets the lease only after
//! that, no copy of the old owner's is served while a new owner's lease lives. Nor is one served
//! that is older than [`MAX_AGE_MS`], whatever KV does, so that a lookup tells what was true at most
//! a minute ago. (Where a live lease may be taken over, as agents' with `AGENT_TAKEOVER`, that minute
//! is the bound for the old owner too.)
//!
//! Only what the object calls hot is copied. An isolate asks KV only for what it was told is there,
//! so a lookup of any other lease costs no KV operation, and registering never reads KV.

use std::cell::RefCell;
use std::collections::HashMap;

use connect::{Error, Host};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::meter::AnsweredBy;
use crate::protos::coral::registry::v1::{CachedLease, Lease, LeaseKey, LeaseKind};

/// How old a copy may be. KV keeps a value for at least as long.
pub const MAX_AGE_MS: i64 = 60_000;

/// By how much the clocks of a Worker and of an object may differ: a copy is given up that much before
/// the lease lapses.
pub const CLOCK_SKEW_MS: i64 = 1_000;

/// A store of copies that may be slow, may lose what it is given, and may not be there.
#[allow(
    async_fn_in_trait,
    reason = "an isolate has one thread: futures need not be Send"
)]
pub trait Kv {
    /// A value; `None` if there is none, or no store.
    ///
    /// # Errors
    /// When the store fails.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error>;

    /// Writes a value, after the request was answered. If that fails the implementor logs it.
    fn put_later(&self, key: String, value: Vec<u8>);
}

/// What an isolate remembers of hot leases.
#[derive(Debug, Default)]
pub struct Memo(RefCell<HashMap<LeaseKey, Remembered>>);

#[derive(Clone, Debug)]
struct Remembered {
    copy: CachedLease,
    /// Until when the isolate answers by itself. After that it asks KV.
    fresh_until_ms: i64,
}

/// Copies of leases, as one request uses them.
#[derive(Debug)]
pub struct Cache<'a, K, H> {
    /// The store that all isolates share.
    pub kv: &'a K,
    /// The isolate's own memory.
    pub memo: &'a Memo,
    /// Whether anything is cached, and for how long.
    pub config: &'a Config,
    /// The clock.
    pub host: &'a H,
}

impl<K: Kv, H: Host> Cache<'_, K, H> {
    /// Looks for a copy of a hot lease that may be served, and says where it was.
    pub async fn find(&self, key: &LeaseKey) -> Option<(Lease, AnsweredBy)> {
        if !is_cached(self.config, key) {
            return None;
        }
        let now_ms = self.host.now_ms();
        let remembered = self.memo.get(key, now_ms)?;
        if now_ms < remembered.fresh_until_ms {
            return Some((remembered.copy.lease?, AnsweredBy::Memo));
        }
        // A failure was logged by the store: the object answers.
        let value = self.kv.get(&kv_key(key)).await.ok().flatten()?;
        // KV may have taken its time.
        let now_ms = self.host.now_ms();
        let copy = CachedLease::decode(value.as_slice()).ok()?;
        // What KV has may be older than what this isolate saw, for example a registration.
        let is_older = registered_at_ms(&copy) < registered_at_ms(&remembered.copy);
        if is_older || !may_be_served(&copy, now_ms) {
            return None;
        }
        self.memo.remember(self.config, key, copy.clone(), now_ms);
        Some((copy.lease?, AnsweredBy::Kv))
    }

    /// Takes a copy of a lease that the object called hot. `asked_at_ms` is before it was asked; `fill`
    /// is whether the object wants it in KV.
    pub fn keep(&self, key: &LeaseKey, lease: &Lease, asked_at_ms: i64, fill: bool) {
        if !is_cached(self.config, key) {
            return;
        }
        let copy = copy(lease.clone(), asked_at_ms);
        let known = self.memo.get(key, asked_at_ms);
        if known.is_some_and(|known| registered_at_ms(&known.copy) > registered_at_ms(&copy)) {
            // This isolate has registered something newer while the answer was on its way.
            return;
        }
        if fill {
            self.kv.put_later(kv_key(key), copy.encode_to_vec());
        }
        self.memo.remember(self.config, key, copy, asked_at_ms);
    }

    /// Gives a copy up. In KV, nothing takes its place.
    pub fn forget(&self, key: &LeaseKey) {
        if is_cached(self.config, key) {
            self.memo.forget(key);
            self.kv
                .put_later(kv_key(key), CachedLease::default().encode_to_vec());
        }
    }

    /// Brings copies up to date after a registration. `rewrite` is whether the object says that KV
    /// may have a copy that is now wrong.
    pub fn renew(&self, key: &LeaseKey, lease: Lease, asked_at_ms: i64, rewrite: bool) {
        if !is_cached(self.config, key) {
            return;
        }
        let copy = copy(lease, asked_at_ms);
        if rewrite {
            self.kv.put_later(kv_key(key), copy.encode_to_vec());
        }
        if self.memo.get(key, asked_at_ms).is_some() {
            self.memo.remember(self.config, key, copy, asked_at_ms);
        }
    }
}

fn registered_at_ms(copy: &CachedLease) -> i64 {
    let lease = copy.lease.as_ref();
    lease.map_or(i64::MIN, |lease| lease.registered_at_ms)
}

fn copy(lease: Lease, current_at_ms: i64) -> CachedLease {
    CachedLease {
        lease: Some(lease),
        current_at_ms,
    }
}

/// Whether a copy may be told to anybody now.
fn may_be_served(copy: &CachedLease, now_ms: i64) -> bool {
    let Some(lease) = &copy.lease else {
        return false;
    };
    let lives = now_ms.saturating_add(CLOCK_SKEW_MS) <= lease.expires_at_ms;
    let age_ms = now_ms.saturating_sub(copy.current_at_ms);
    lives && age_ms < MAX_AGE_MS
}

/// Agents that are looked up without their mesh are not cached: which of their leases is the answer
/// can change without any of them changing.
fn is_cached(config: &Config, key: &LeaseKey) -> bool {
    let is_exact = match key.kind() {
        LeaseKind::Colony => true,
        LeaseKind::Agent => !key.scope.is_empty(),
        LeaseKind::RelaySession
        | LeaseKind::Message
        | LeaseKind::Quota
        | LeaseKind::Member
        | LeaseKind::Unspecified => false,
    };
    config.hot_lookups.is_some() && is_exact
}

/// KV's keys have at most 512 bytes, two ids have more.
fn kv_key(key: &LeaseKey) -> String {
    let digest = Sha256::digest(key.encode_to_vec());
    format!("lease:{digest:x}")
}

impl Memo {
    /// What is remembered of a lease, if it may still be served.
    fn get(&self, key: &LeaseKey, now_ms: i64) -> Option<Remembered> {
        let memo = self.0.borrow();
        let remembered = memo.get(key)?;
        may_be_served(&remembered.copy, now_ms).then(|| remembered.clone())
    }

    fn remember(&self, config: &Config, key: &LeaseKey, copy: CachedLease, now_ms: i64) {
        if config.memo_entries == 0 {
            return;
        }
        let mut memo = self.0.borrow_mut();
        if memo.len() >= config.memo_entries && !memo.contains_key(key) {
            // The oldest has the least time left in which it could serve.
            let oldest = memo
                .iter()
                .min_by_key(|(_, remembered)| remembered.copy.current_at_ms)
                .map(|(key, _)| key.clone());
            oldest.and_then(|oldest| memo.remove(&oldest));
        }
        let fresh_until_ms = now_ms.saturating_add(config.memo_ms);
        memo.insert(
            key.clone(),
            Remembered {
                copy,
                fresh_until_ms,
            },
        );
    }

    fn forget(&self, key: &LeaseKey) {
        self.0.borrow_mut().remove(key);
    }

    /// How many leases are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use connect::testing::TestHost;
    use futures_executor::block_on;

    use super::*;
    use crate::memory::{MemoryKv, MemoryPlatform};
    use crate::registry::memory::MemoryObjects;
    use crate::registry::service::Settings;

    const SETTINGS: Settings = Settings {
        cleanup_interval_ms: 1,
        hot_lookups: None,
        census_debounce_ms: 1,
        publishes: false,
    };

    fn colony(id: usize) -> LeaseKey {
        LeaseKey {
            kind: LeaseKind::Colony.into(),
            id: id.to_string(),
            scope: String::new(),
        }
    }

    fn lease(expires_at_ms: i64) -> Lease {
        Lease {
            record: b"record".to_vec(),
            registered_at_ms: 0,
            expires_at_ms,
        }
    }

    /// Runs a test on an empty cache with a memo of three entries.
    fn with_cache(test: impl FnOnce(&TestHost, &Cache<'_, MemoryKv<'_>, &TestHost>)) {
        let host = TestHost::default();
        let platform = MemoryPlatform::new(&host, MemoryObjects::new(&host, SETTINGS));
        let config = Config {
            memo_entries: 3,
            ..Config::default()
        };
        let cache = Cache {
            kv: &platform.kv,
            memo: &Memo::default(),
            config: &config,
            host: &&host,
        };
        test(&host, &cache);
    }

    #[test]
    fn the_memo_is_bounded_and_gives_up_what_is_oldest() {
        with_cache(|host, cache| {
            for id in 0..10 {
                let at_ms = i64::try_from(id).unwrap();
                cache.keep(&colony(id), &lease(1_000_000), at_ms, false);
            }
            assert_eq!(cache.memo.len(), 3);
            host.now_ms.set(10);
            let is_known = |id| block_on(cache.find(&colony(id))).is_some();
            assert!(is_known(9) && is_known(7) && !is_known(6));
        });
    }

    #[test]
    fn a_copy_is_served_until_just_before_its_lease_lapses() {
        with_cache(|host, cache| {
            cache.keep(&colony(1), &lease(5_000), 3_500, false);
            let found = |now_ms| {
                host.now_ms.set(now_ms);
                block_on(cache.find(&colony(1))).is_some()
            };
            assert!(found(5_000 - CLOCK_SKEW_MS));
            assert!(!found(5_001 - CLOCK_SKEW_MS));
        });
    }

    #[test]
    fn kv_is_asked_only_for_what_the_isolate_knows_to_be_there() {
        with_cache(|host, cache| {
            assert!(block_on(cache.find(&colony(1))).is_none());
            assert_eq!(cache.kv.reads.get(), 0);
            cache.keep(&colony(1), &lease(1_000_000), 0, true);
            let by = |now_ms| {
                host.now_ms.set(now_ms);
                let found = block_on(cache.find(&colony(1)));
                found.map(|(_, answered_by)| answered_by)
            };
            assert_eq!(by(999), Some(AnsweredBy::Memo));
            assert_eq!(by(1_000), Some(AnsweredBy::Kv));
            assert_eq!(by(1_001), Some(AnsweredBy::Memo));
            assert_eq!((cache.kv.reads.get(), by(MAX_AGE_MS)), (1, None));
        });
    }

    #[test]
    fn an_answer_that_was_long_on_its_way_does_not_hide_a_registration() {
        with_cache(|host, cache| {
            let registered = Lease {
                record: b"newer".to_vec(),
                registered_at_ms: 50,
                ..lease(1_000_000)
            };
            cache.keep(&colony(1), &lease(1_000_000), 0, true);
            cache.renew(&colony(1), registered.clone(), 50, true);
            cache.keep(&colony(1), &lease(1_000_000), 10, true);
            for now_ms in [100, 30_000] {
                host.now_ms.set(now_ms);
                let found = block_on(cache.find(&colony(1)));
                assert_eq!(found.map(|(found, _)| found), Some(registered.clone()));
            }
            assert_eq!(cache.kv.writes.get(), 2);
        });
    }

    #[test]
    fn agents_without_their_mesh_and_relay_sessions_are_not_cached() {
        with_cache(|_, cache| {
            let mut agent = colony(1);
            agent.kind = LeaseKind::Agent.into();
            let mut session = colony(1);
            session.kind = LeaseKind::RelaySession.into();
            for key in [agent, session] {
                cache.keep(&key, &lease(1_000_000), 0, true);
                assert!(cache.memo.is_empty() && cache.kv.writes.get() == 0);
            }
        });
    }
}

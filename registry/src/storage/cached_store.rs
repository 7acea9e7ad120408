//! A write-through cache over a store: each lease is read once in the life of an object's instance,
//! as every write to it goes through this instance.
//!
//! The host sends no response before the writes that came before it are durable, so a response from
//! the cache is as durable as one from the store.

use std::cell::RefCell;
use std::collections::BTreeMap;

use connect::{Error, UnixMillis};
use prost::Message as _;

use super::{CensusCount, DueLease, Store, StoredEntry, StoredLease};
use crate::lease::LeaseState;
use crate::proto::{CensusEntry, LeaseKey, LeaseKind};

/// The bytes of keys and leases that are cached: a few hundred leases, for each of the dozens of
/// objects that share an isolate's 128 MB.
const MAX_BYTES: usize = 256 * 1024;

/// A store with a write-through cache of its leases.
#[derive(Debug)]
pub struct CachedStore<S> {
    /// The store itself.
    pub inner: S,
    leases: RefCell<CachedLeases>,
}

#[derive(Debug, Default)]
struct CachedLeases {
    by_key: BTreeMap<Vec<u8>, StoredLease>,
    bytes: usize,
    /// The last key that was looked up and not found. Only the last, as the number of such keys is
    /// unbounded.
    absent: Option<Vec<u8>>,
}

impl CachedLeases {
    fn insert(&mut self, key: Vec<u8>, lease: StoredLease) {
        self.remove(&key);
        self.absent = None;
        let bytes = size(&key, &lease);
        if self.bytes.saturating_add(bytes) > MAX_BYTES {
            // Reading each again costs one row; tracking the recently used ones costs every call.
            *self = Self::default();
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.by_key.insert(key, lease);
    }

    fn remove(&mut self, key: &[u8]) {
        if let Some(lease) = self.by_key.remove(key) {
            self.bytes = self.bytes.saturating_sub(size(key, &lease));
        }
    }
}

fn size(key: &[u8], lease: &StoredLease) -> usize {
    key.len() + lease.state.owner.len() + lease.record.len() + size_of::<StoredLease>()
}

/// Returns whether a key names one lease. Without its mesh, an agent's key names any of several,
/// and which one it is can change without a write to any of them.
fn names_one_lease(key: &LeaseKey) -> bool {
    key.kind() != LeaseKind::Agent || !key.scope.is_empty()
}

impl<S: Store> CachedStore<S> {
    /// Returns `store` with an empty cache.
    pub fn new(store: S) -> Self {
        Self {
            inner: store,
            leases: RefCell::default(),
        }
    }

    /// Reads through the cache; `pick` takes what is needed of the lease.
    fn read<T>(
        &self,
        key: &LeaseKey,
        pick: impl Fn(&StoredLease) -> T,
        now: UnixMillis,
    ) -> Result<Option<T>, Error> {
        let bytes = key.encode_to_vec();
        let mut leases = self.leases.borrow_mut();
        if let Some(lease) = leases.by_key.get(&bytes) {
            return Ok(Some(pick(lease)));
        }
        if leases.absent.as_ref() == Some(&bytes) {
            return Ok(None);
        }
        let Some(lease) = self.inner.lease(key, now)? else {
            leases.absent = Some(bytes);
            return Ok(None);
        };
        let picked = pick(&lease);
        leases.insert(bytes, lease);
        Ok(Some(picked))
    }

    /// Applies a change to the cached lease after a successful write, and drops the lease after a
    /// failed one.
    fn change(
        &self,
        key: &LeaseKey,
        written: Result<(), Error>,
        change: impl FnOnce(&mut LeaseState),
    ) -> Result<(), Error> {
        let key = key.encode_to_vec();
        let mut leases = self.leases.borrow_mut();
        match (&written, leases.by_key.get_mut(&key)) {
            (Ok(()), Some(lease)) => change(&mut lease.state),
            _ => leases.remove(&key),
        }
        written
    }
}

impl<S: Store> Store for CachedStore<S> {
    fn state(&self, key: &LeaseKey) -> Result<Option<LeaseState>, Error> {
        if !names_one_lease(key) {
            return self.inner.state(key);
        }
        self.read(key, |lease| lease.state.clone(), UnixMillis::EPOCH)
    }

    fn lease(&self, key: &LeaseKey, now: UnixMillis) -> Result<Option<StoredLease>, Error> {
        if !names_one_lease(key) {
            return self.inner.lease(key, now);
        }
        self.read(key, StoredLease::clone, now)
    }

    fn entries(&self, kind: LeaseKind, id: &str) -> Result<Vec<StoredEntry>, Error> {
        self.inner.entries(kind, id)
    }

    fn put(&self, key: &LeaseKey, lease: &StoredLease) -> Result<(), Error> {
        let bytes = key.encode_to_vec();
        let written = self.inner.put(key, lease);
        let mut leases = self.leases.borrow_mut();
        if written.is_ok() {
            leases.insert(bytes, lease.clone());
        } else {
            leases.remove(&bytes);
            leases.absent = None;
        }
        written
    }

    fn delete(&self, key: &LeaseKey) -> Result<(), Error> {
        self.leases.borrow_mut().remove(&key.encode_to_vec());
        self.inner.delete(key)
    }

    fn mark_counted(&self, key: &LeaseKey) -> Result<(), Error> {
        let written = self.inner.mark_counted(key);
        self.change(key, written, |state| state.counted = true)
    }

    fn mark_cached(&self, key: &LeaseKey, until: UnixMillis) -> Result<(), Error> {
        let written = self.inner.mark_cached(key, until);
        self.change(key, written, |state| state.cached_until = until)
    }

    fn has_leases(&self) -> Result<bool, Error> {
        self.inner.has_leases()
    }

    fn earliest_expiry(&self) -> Result<Option<UnixMillis>, Error> {
        self.inner.earliest_expiry()
    }

    fn due(&self, now: UnixMillis) -> Result<Vec<DueLease>, Error> {
        self.inner.due(now)
    }

    fn report_colonies(
        &self,
        registered: &[CensusEntry],
        expired: &[CensusEntry],
    ) -> Result<(), Error> {
        self.inner.report_colonies(registered, expired)
    }

    fn count_colonies(&self, now: UnixMillis) -> Result<CensusCount, Error> {
        self.inner.count_colonies(now)
    }

    fn put_count(&self, shard: u32, colonies: i64, at: UnixMillis) -> Result<(), Error> {
        self.inner.put_count(shard, colonies, at)
    }

    fn total(&self) -> Result<i64, Error> {
        self.inner.total()
    }

    async fn alarm(&self) -> Result<Option<UnixMillis>, Error> {
        self.inner.alarm().await
    }

    async fn set_alarm(&self, at: UnixMillis) -> Result<(), Error> {
        self.inner.set_alarm(at).await
    }

    async fn delete_all(&self) -> Result<(), Error> {
        self.leases.take();
        self.inner.delete_all().await
    }
}

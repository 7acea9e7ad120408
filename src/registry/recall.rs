//! What an instance of an object remembers of the leases in its store, so that each is read once in the
//! instance's life: whoever wants to change one must ask this instance.
//!
//! The runtime sends no answer before the writes that came before it are kept, so what is
//! answered from here is as durable as what is read.

use std::cell::RefCell;
use std::collections::BTreeMap;

use connect::Error;
use prost::Message as _;

use super::lease::Holder;
use super::store::{Count, Kept, Listed, Store, StoredLease};
use crate::protos::coral::registry::v1::{CensusEntry, LeaseKey, LeaseKind};

/// Bytes of keys and leases that are remembered: those of a few hundred leases, for each of the
/// dozens of objects that share an isolate's 128 MB.
const BYTES: usize = 256 * 1024;

/// A store, and what is remembered of it.
#[derive(Debug)]
pub struct Recalling<S> {
    /// The store itself.
    pub inner: S,
    leases: RefCell<Leases>,
}

#[derive(Debug, Default)]
struct Leases {
    by_key: BTreeMap<Vec<u8>, StoredLease>,
    bytes: usize,
    /// A key under which there is nothing: the last that was looked up in vain, and only that one, as there is no
    /// end to such keys.
    absent: Option<Vec<u8>>,
}

impl Leases {
    fn remember(&mut self, key: Vec<u8>, lease: StoredLease) {
        self.forget(&key);
        self.absent = None;
        let bytes = size(&key, &lease);
        if self.bytes.saturating_add(bytes) > BYTES {
            // All of them: each costs one read, while telling which are worth keeping would cost at each call.
            *self = Self::default();
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.by_key.insert(key, lease);
    }

    fn forget(&mut self, key: &[u8]) {
        if let Some(lease) = self.by_key.remove(key) {
            self.bytes = self.bytes.saturating_sub(size(key, &lease));
        }
    }
}

fn size(key: &[u8], lease: &StoredLease) -> usize {
    key.len() + lease.holder.owner.len() + lease.record.len() + size_of::<StoredLease>()
}

/// Whether a key names one lease. Without its mesh an agent's names any of several, and which one it is can change
/// without any of them changing.
fn names_one(key: &LeaseKey) -> bool {
    key.kind() != LeaseKind::Agent || !key.scope.is_empty()
}

impl<S: Store> Recalling<S> {
    /// `store`, of which nothing is known yet.
    pub fn new(store: S) -> Self {
        Self {
            inner: store,
            leases: RefCell::default(),
        }
    }

    /// Of a key that names one lease: what is remembered of it, or else what the store has.
    fn read<T>(
        &self,
        key: &LeaseKey,
        pick: impl Fn(&StoredLease) -> T,
        now_ms: i64,
    ) -> Result<Option<T>, Error> {
        let bytes = key.encode_to_vec();
        let mut leases = self.leases.borrow_mut();
        if let Some(lease) = leases.by_key.get(&bytes) {
            return Ok(Some(pick(lease)));
        }
        if leases.absent.as_ref() == Some(&bytes) {
            return Ok(None);
        }
        let lease = self.inner.lease(key, now_ms)?;
        let Some(lease) = lease else {
            leases.absent = Some(bytes);
            return Ok(None);
        };
        let picked = pick(&lease);
        leases.remember(bytes, lease);
        Ok(Some(picked))
    }

    /// Changes the store, and what is remembered only if that went well.
    fn change(
        &self,
        key: &LeaseKey,
        write: Result<(), Error>,
        change: impl FnOnce(&mut Holder),
    ) -> Result<(), Error> {
        let key = key.encode_to_vec();
        let mut leases = self.leases.borrow_mut();
        match (&write, leases.by_key.get_mut(&key)) {
            (Ok(()), Some(lease)) => change(&mut lease.holder),
            _ => leases.forget(&key),
        }
        write
    }
}

impl<S: Store> Store for Recalling<S> {
    fn holder(&self, key: &LeaseKey) -> Result<Option<Holder>, Error> {
        if !names_one(key) {
            return self.inner.holder(key);
        }
        self.read(key, |lease| lease.holder.clone(), 0)
    }

    fn lease(&self, key: &LeaseKey, now_ms: i64) -> Result<Option<StoredLease>, Error> {
        if !names_one(key) {
            return self.inner.lease(key, now_ms);
        }
        self.read(key, StoredLease::clone, now_ms)
    }

    fn leases(&self, kind: LeaseKind, id: &str) -> Result<Vec<Kept>, Error> {
        self.inner.leases(kind, id)
    }

    fn put(&self, key: &LeaseKey, lease: &StoredLease) -> Result<(), Error> {
        let bytes = key.encode_to_vec();
        let put = self.inner.put(key, lease);
        let mut leases = self.leases.borrow_mut();
        match put {
            Ok(()) => leases.remember(bytes, lease.clone()),
            Err(_) => {
                leases.forget(&bytes);
                leases.absent = None;
            }
        }
        put
    }

    fn delete(&self, key: &LeaseKey) -> Result<(), Error> {
        self.leases.borrow_mut().forget(&key.encode_to_vec());
        self.inner.delete(key)
    }

    fn mark_counted(&self, key: &LeaseKey) -> Result<(), Error> {
        let write = self.inner.mark_counted(key);
        self.change(key, write, |holder| holder.counted = true)
    }

    fn mark_cached(&self, key: &LeaseKey, until_ms: i64) -> Result<(), Error> {
        let write = self.inner.mark_cached(key, until_ms);
        self.change(key, write, |holder| holder.cached_until_ms = until_ms)
    }

    fn has_leases(&self) -> Result<bool, Error> {
        self.inner.has_leases()
    }

    fn earliest_expiry(&self) -> Result<Option<i64>, Error> {
        self.inner.earliest_expiry()
    }

    fn due(&self, now_ms: i64) -> Result<Vec<Listed>, Error> {
        self.inner.due(now_ms)
    }

    fn report(&self, births: &[CensusEntry], deaths: &[CensusEntry]) -> Result<(), Error> {
        self.inner.report(births, deaths)
    }

    fn count(&self, now_ms: i64) -> Result<Count, Error> {
        self.inner.count(now_ms)
    }

    fn put_count(&self, shard: u32, colonies: i64, at_ms: i64) -> Result<(), Error> {
        self.inner.put_count(shard, colonies, at_ms)
    }

    fn total(&self) -> Result<i64, Error> {
        self.inner.total()
    }

    async fn alarm(&self) -> Result<Option<i64>, Error> {
        self.inner.alarm().await
    }

    async fn set_alarm(&self, at_ms: i64) -> Result<(), Error> {
        self.inner.set_alarm(at_ms).await
    }

    async fn delete_all(&self) -> Result<(), Error> {
        self.leases.take();
        self.inner.delete_all().await
    }
}

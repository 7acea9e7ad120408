//! The memory cache: the hot leases that an isolate keeps.

use std::cell::RefCell;
use std::collections::HashMap;

use connect::UnixMillis;
use coral_registry::proto::{CachedLease, LeaseKey};

use super::may_be_served;

/// The memory cache.
#[derive(Debug, Default)]
pub struct MemoryCache(RefCell<HashMap<LeaseKey, CacheEntry>>);

/// A copy in the memory cache.
#[derive(Clone, Debug)]
pub(super) struct CacheEntry {
    pub(super) copy: CachedLease,
    /// The time until which the copy is served without reading KV.
    pub(super) fresh_until: UnixMillis,
}

impl MemoryCache {
    /// Returns the copy of a lease, if it may still be served.
    pub(super) fn get(&self, key: &LeaseKey, now: UnixMillis) -> Option<CacheEntry> {
        let entries = self.0.borrow();
        let entry = entries.get(key)?;
        may_be_served(&entry.copy, now).then(|| entry.clone())
    }

    /// Inserts a copy, in place of the oldest where there are `max_entries`.
    pub(super) fn insert(
        &self,
        key: &LeaseKey,
        copy: CachedLease,
        fresh_until: UnixMillis,
        max_entries: usize,
    ) {
        if max_entries == 0 {
            return;
        }
        let mut entries = self.0.borrow_mut();
        if entries.len() >= max_entries && !entries.contains_key(key) {
            // The oldest has the least time left in which it could be served.
            let oldest = entries
                .iter()
                .min_by_key(|(_, entry)| entry.copy.current_at_ms)
                .map(|(key, _)| key.clone());
            oldest.and_then(|oldest| entries.remove(&oldest));
        }
        entries.insert(key.clone(), CacheEntry { copy, fresh_until });
    }

    pub(super) fn remove(&self, key: &LeaseKey) {
        self.0.borrow_mut().remove(key);
    }

    /// Returns the number of cached leases.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Returns whether nothing is cached.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

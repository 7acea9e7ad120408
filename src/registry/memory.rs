//! A store in memory, for tests of all that stands above storage.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use connect::Error;

use super::lease::Holder;
use super::store::{Listed, Store, StoredLease};
use crate::protos::coral::registry::v1::LeaseKey;

type Key = (i32, String, String);

/// Leases, census and alarm of one object.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore {
    leases: RefCell<BTreeMap<Key, StoredLease>>,
    census: RefCell<BTreeSet<String>>,
    pub(crate) alarm_at_ms: Cell<Option<i64>>,
    /// Rows written since the beginning, as the platform would bill them.
    pub(crate) rows_written: Cell<u64>,
}

impl MemoryStore {
    fn wrote_row(&self) {
        self.rows_written.set(self.rows_written.get() + 1);
    }
}

fn to_key(key: &LeaseKey) -> Key {
    (key.kind, key.id.clone(), key.scope.clone())
}

impl Store for MemoryStore {
    fn holder(&self, key: &LeaseKey) -> Result<Option<Holder>, Error> {
        let leases = self.leases.borrow();
        Ok(leases.get(&to_key(key)).map(|lease| lease.holder.clone()))
    }

    fn lease(&self, key: &LeaseKey, now_ms: i64) -> Result<Option<StoredLease>, Error> {
        let leases = self.leases.borrow();
        let found = leases.iter().filter(|((kind, id, scope), _)| {
            *kind == key.kind && *id == key.id && (key.scope.is_empty() || *scope == key.scope)
        });
        let latest = found.max_by_key(|(_, lease)| {
            (lease.holder.expires_at_ms >= now_ms, lease.registered_at_ms)
        });
        Ok(latest.map(|(_, lease)| lease.clone()))
    }

    fn put(&self, key: &LeaseKey, lease: &StoredLease) -> Result<(), Error> {
        self.wrote_row();
        self.leases.borrow_mut().insert(to_key(key), lease.clone());
        Ok(())
    }

    fn delete(&self, key: &LeaseKey) -> Result<(), Error> {
        self.wrote_row();
        self.leases.borrow_mut().remove(&to_key(key));
        Ok(())
    }

    fn mark_counted(&self, key: &LeaseKey) -> Result<(), Error> {
        self.wrote_row();
        if let Some(lease) = self.leases.borrow_mut().get_mut(&to_key(key)) {
            lease.holder.counted = true;
        }
        Ok(())
    }

    fn earliest_expiry(&self) -> Result<Option<i64>, Error> {
        let leases = self.leases.borrow();
        Ok(leases.values().map(|l| l.holder.expires_at_ms).min())
    }

    fn list(&self) -> Result<Vec<Listed>, Error> {
        let leases = self.leases.borrow();
        let listed = leases.iter().map(|((kind, id, scope), lease)| Listed {
            key: LeaseKey {
                kind: *kind,
                id: id.clone(),
                scope: scope.clone(),
            },
            expires_at_ms: lease.holder.expires_at_ms,
            counted: lease.holder.counted,
        });
        Ok(listed.collect())
    }

    fn report(&self, born: &[String], died: &[String]) -> Result<(), Error> {
        let mut census = self.census.borrow_mut();
        census.extend(born.iter().cloned());
        census.retain(|id| !died.contains(id));
        Ok(())
    }

    fn count(&self) -> Result<i64, Error> {
        Ok(i64::try_from(self.census.borrow().len()).unwrap())
    }

    async fn set_alarm(&self, at_ms: i64) -> Result<(), Error> {
        self.wrote_row();
        self.alarm_at_ms.set(Some(at_ms));
        Ok(())
    }

    async fn delete_all(&self) -> Result<(), Error> {
        self.leases.borrow_mut().clear();
        self.census.borrow_mut().clear();
        self.alarm_at_ms.set(None);
        Ok(())
    }
}

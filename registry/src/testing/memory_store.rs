//! A store in memory.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use connect::{Error, UnixMillis};

use crate::lease::LeaseState;
use crate::proto::{CensusEntry, Cost, LeaseKey, LeaseKind};
use crate::storage::{CensusCount, DueLease, Store, StoredEntry, StoredLease, is_newer_entry};

type Key = (i32, String, String);

/// The leases, the census entries and the alarm of one object.
#[derive(Debug, Default)]
pub struct MemoryStore {
    leases: RefCell<BTreeMap<Key, StoredLease>>,
    colonies: RefCell<BTreeMap<String, CensusEntry>>,
    counts: RefCell<BTreeMap<u32, (i64, UnixMillis)>>,
    /// Every lease that was ever written, in order.
    pub history: RefCell<Vec<StoredLease>>,
    /// The time of the alarm.
    pub alarm_at: Cell<Option<UnixMillis>>,
    /// The rows written since the beginning, as the platform would bill them.
    pub rows_written: Cell<u64>,
    /// The rows of the call that runs now.
    pub meter: Cell<Cost>,
}

impl MemoryStore {
    fn count_written_row(&self) {
        self.rows_written.set(self.rows_written.get() + 1);
        self.meter.set(self.meter.get().plus(0, 1));
    }
}

fn to_key(key: &LeaseKey) -> Key {
    (key.kind, key.id.clone(), key.scope.clone())
}

fn from_key((kind, id, scope): &Key) -> LeaseKey {
    LeaseKey {
        kind: *kind,
        id: id.clone(),
        scope: scope.clone(),
    }
}

impl Store for Rc<MemoryStore> {
    fn state(&self, key: &LeaseKey) -> Result<Option<LeaseState>, Error> {
        let leases = self.leases.borrow();
        Ok(leases.get(&to_key(key)).map(|lease| lease.state.clone()))
    }

    fn lease(&self, key: &LeaseKey, now: UnixMillis) -> Result<Option<StoredLease>, Error> {
        let leases = self.leases.borrow();
        let found = leases.iter().filter(|((kind, id, scope), _)| {
            *kind == key.kind && *id == key.id && (key.scope.is_empty() || *scope == key.scope)
        });
        let latest = found.max_by_key(|(_, lease)| (lease.is_live(now), lease.registered_at));
        Ok(latest.map(|(_, lease)| lease.clone()))
    }

    fn entries(&self, kind: LeaseKind, id: &str) -> Result<Vec<StoredEntry>, Error> {
        let leases = self.leases.borrow();
        let of_id = leases
            .iter()
            .filter(|((of, named, _), _)| *of == i32::from(kind) && named == id);
        let entries = of_id.map(|(key, lease)| StoredEntry {
            bytes: key.1.len() + key.2.len() + lease.record.len(),
            key: from_key(key),
            lease: lease.clone(),
        });
        Ok(entries.collect())
    }

    fn put(&self, key: &LeaseKey, lease: &StoredLease) -> Result<(), Error> {
        self.count_written_row();
        self.leases.borrow_mut().insert(to_key(key), lease.clone());
        self.history.borrow_mut().push(lease.clone());
        Ok(())
    }

    fn delete(&self, key: &LeaseKey) -> Result<(), Error> {
        self.count_written_row();
        self.leases.borrow_mut().remove(&to_key(key));
        Ok(())
    }

    fn mark_counted(&self, key: &LeaseKey) -> Result<(), Error> {
        self.count_written_row();
        if let Some(lease) = self.leases.borrow_mut().get_mut(&to_key(key)) {
            lease.state.counted = true;
        }
        Ok(())
    }

    fn mark_cached(&self, key: &LeaseKey, until: UnixMillis) -> Result<(), Error> {
        self.count_written_row();
        if let Some(lease) = self.leases.borrow_mut().get_mut(&to_key(key)) {
            lease.state.cached_until = until;
        }
        Ok(())
    }

    fn has_leases(&self) -> Result<bool, Error> {
        Ok(!self.leases.borrow().is_empty())
    }

    fn earliest_expiry(&self) -> Result<Option<UnixMillis>, Error> {
        let leases = self.leases.borrow();
        Ok(leases.values().map(|lease| lease.state.expires_at).min())
    }

    fn due(&self, now: UnixMillis) -> Result<Vec<DueLease>, Error> {
        let leases = self.leases.borrow();
        let due = leases
            .iter()
            .filter_map(|(key, lease)| DueLease::of(from_key(key), lease, now));
        Ok(due.collect())
    }

    fn report_colonies(
        &self,
        registered: &[CensusEntry],
        expired: &[CensusEntry],
    ) -> Result<(), Error> {
        let mut colonies = self.colonies.borrow_mut();
        for entry in registered {
            if is_newer_entry(colonies.get(&entry.mesh_id), entry) {
                colonies.insert(entry.mesh_id.clone(), entry.clone());
            }
        }
        for entry in expired {
            colonies.retain(|id, stored| *id != entry.mesh_id || stored.at_ms > entry.at_ms);
        }
        Ok(())
    }

    fn count_colonies(&self, now: UnixMillis) -> Result<CensusCount, Error> {
        let mut count = CensusCount::default();
        let mut colonies = self.colonies.borrow_mut();
        colonies.retain(|_, entry| count.add(entry, now));
        Ok(count)
    }

    fn put_count(&self, shard: u32, colonies: i64, at: UnixMillis) -> Result<(), Error> {
        self.count_written_row();
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(shard).or_insert((colonies, at));
        if at >= count.1 {
            *count = (colonies, at);
        }
        Ok(())
    }

    fn total(&self) -> Result<i64, Error> {
        Ok(self.counts.borrow().values().map(|count| count.0).sum())
    }

    async fn alarm(&self) -> Result<Option<UnixMillis>, Error> {
        Ok(self.alarm_at.get())
    }

    async fn set_alarm(&self, at: UnixMillis) -> Result<(), Error> {
        self.count_written_row();
        self.alarm_at.set(Some(at));
        Ok(())
    }

    async fn delete_all(&self) -> Result<(), Error> {
        self.leases.borrow_mut().clear();
        self.colonies.borrow_mut().clear();
        self.counts.borrow_mut().clear();
        self.alarm_at.set(None);
        Ok(())
    }
}

//! One object of the registry: its store, its clock and what it keeps in memory.

use std::cell::{Cell, RefCell};
use std::num::NonZeroU32;
use std::time::Duration;

use connect::{Error, Runtime, UnixMillis};

use crate::hot_keys::HotKeys;
use crate::object_names::Role;
use crate::proto::{LeaseKey, LeaseKind};
use crate::storage::Store;

/// An object of the registry: the leases of one id, of many ids, or a part of the census.
///
/// It implements the generated [`RegistryService`](crate::proto::RegistryService). The host calls
/// [`sweep`](Self::sweep) when the alarm fires.
#[derive(Debug)]
pub struct RegistryObject<S, R> {
    /// The store.
    pub store: S,
    pub(crate) runtime: R,
    pub(crate) role: Role,
    pub(crate) settings: Settings,
    pub(crate) alarm: Cell<Alarm>,
    pub(crate) hot_keys: HotKeys,
    pub(crate) meshes_with_new_records: RefCell<Vec<String>>,
}

/// The alarm as this instance of the object knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// Not read from the store yet.
    Unknown,
    /// The time for which it is set; `None` if it is not set.
    Known(Option<UnixMillis>),
}

/// The settings of an object.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The time for which an expired lease may stay in the store.
    pub cleanup_interval: Duration,
    /// The lookups a minute from which a key is hot; without a number, no key ever is.
    pub hot_lookups: Option<NonZeroU32>,
    /// The time for which changes of the census are batched into one report.
    pub census_debounce: Duration,
    /// True if the colony count is published to a KV store.
    pub publishes_count: bool,
}

impl<S: Store, R: Runtime> RegistryObject<S, R> {
    /// Returns one instance of an object.
    pub fn new(store: S, runtime: R, role: Role, settings: Settings) -> Self {
        Self {
            store,
            runtime,
            role,
            settings,
            alarm: Cell::new(Alarm::Unknown),
            hot_keys: HotKeys::new(settings.hot_lookups),
            meshes_with_new_records: RefCell::default(),
        }
    }

    /// Returns the meshes in whose mailbox a record was published since the last call. The host
    /// notifies the waiting polls of each.
    #[must_use]
    pub fn take_meshes_with_new_records(&self) -> Vec<String> {
        self.meshes_with_new_records.take()
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.runtime.now()
    }

    /// Removes everything stored, and so all cost, once there is nothing to keep. Returns whether
    /// it did.
    pub(crate) async fn delete_all_if_empty(&self) -> Result<bool, Error> {
        let is_empty = match self.role {
            Role::Leases => !self.store.has_leases()?,
            Role::CensusShard(_) => self.store.count_colonies(self.now())?.colonies == 0,
            // It keeps the time of each count: a late report must not replace a newer one.
            Role::CensusTotal => false,
        };
        if is_empty {
            self.alarm.set(Alarm::Known(None));
            self.store.delete_all().await?;
        }
        Ok(is_empty)
    }
}

/// Checks that a key names a lease.
pub(crate) fn checked(key: Option<LeaseKey>) -> Result<LeaseKey, Error> {
    key.filter(|key| key.kind() != LeaseKind::Unspecified && !key.id.is_empty())
        .ok_or_else(|| Error::invalid_argument("key needs a kind and an id"))
}

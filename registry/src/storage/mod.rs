//! The store that an object needs, and the lease as the store keeps it.

pub mod cached_store;
pub mod format;
pub mod row_metering;

use connect::{Error, UnixMillis};

use crate::lease::{LeaseState, is_live};
use crate::proto::{CensusEntry, Cost, LeaseKey, LeaseKind};

/// A lease as the store keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredLease {
    /// The state that the rules decide by.
    pub state: LeaseState,
    /// The time of the last registration.
    pub registered_at: UnixMillis,
    /// The record that lookups return.
    pub record: Vec<u8>,
}

impl StoredLease {
    /// Returns a lease that neither the census nor a cache nor a mesh knows of.
    #[must_use]
    pub fn new(owner: String, now: UnixMillis, expires_at: UnixMillis, record: Vec<u8>) -> Self {
        Self {
            state: LeaseState {
                owner,
                expires_at,
                ..LeaseState::default()
            },
            registered_at: now,
            record,
        }
    }

    /// Returns whether the lease is live at `now`.
    #[must_use]
    pub fn is_live(&self, now: UnixMillis) -> bool {
        self.state.is_live(now)
    }
}

/// A stored lease with its key and its size.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    /// The key.
    pub key: LeaseKey,
    /// The lease.
    pub lease: StoredLease,
    /// The bytes that key and lease take.
    pub bytes: usize,
}

/// A lease that a sweep has to handle: an expired one, or a colony that the census does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueLease {
    /// The key.
    pub key: LeaseKey,
    /// The time of the last registration.
    pub registered_at: UnixMillis,
    /// The last millisecond at which the lease is live.
    pub expires_at: UnixMillis,
    /// True if the census counts the lease for certain.
    pub counted: bool,
}

impl DueLease {
    /// Returns the sweep's view of a lease, if a sweep at `now` has to handle it.
    #[must_use]
    pub fn of(key: LeaseKey, lease: &StoredLease, now: UnixMillis) -> Option<Self> {
        let is_uncounted = key.kind() == LeaseKind::Colony && !lease.state.counted;
        (!lease.is_live(now) || is_uncounted).then_some(Self {
            key,
            registered_at: lease.registered_at,
            expires_at: lease.state.expires_at,
            counted: lease.state.counted,
        })
    }
}

/// The count of one shard of the census.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CensusCount {
    /// The number of live colonies.
    pub colonies: i64,
    /// The time at which the next provisional entry ends; `None` without provisional entries.
    pub provisional_until: Option<UnixMillis>,
}

impl CensusCount {
    /// Adds an entry unless it was provisional and has ended. Returns whether it was added.
    #[must_use]
    pub fn add(&mut self, entry: &CensusEntry, now: UnixMillis) -> bool {
        let provisional_until = (entry.provisional_until_ms != 0)
            .then(|| UnixMillis::from_millis(entry.provisional_until_ms));
        if provisional_until.is_some_and(|until| !is_live(until, now)) {
            return false;
        }
        self.colonies = self.colonies.saturating_add(1);
        self.provisional_until = [self.provisional_until, provisional_until]
            .into_iter()
            .flatten()
            .min();
        true
    }
}

/// Returns whether a reported entry says more than the stored one: a later registration, or the
/// same one for certain instead of provisionally.
#[must_use]
pub fn is_newer_entry(stored: Option<&CensusEntry>, reported: &CensusEntry) -> bool {
    stored.is_none_or(|stored| {
        let is_certain = stored.provisional_until_ms != 0 && reported.provisional_until_ms == 0;
        stored.at_ms < reported.at_ms || (stored.at_ms == reported.at_ms && is_certain)
    })
}

impl Cost {
    /// Adds rows to the cost.
    #[must_use]
    pub fn plus(self, rows_read: i64, rows_written: i64) -> Self {
        Self {
            rows_read: self.rows_read.saturating_add(rows_read),
            rows_written: self.rows_written.saturating_add(rows_written),
        }
    }
}

/// The storage of one object.
///
/// Everything but the alarm is synchronous: reading a lease and writing it happen in one turn of
/// the object, with no other call in between. Every method fails with `internal` when the storage
/// fails.
#[allow(
    async_fn_in_trait,
    reason = "an object runs on one thread: its futures need not be Send"
)]
#[allow(
    clippy::missing_errors_doc,
    reason = "the trait's documentation names the error of all"
)]
pub trait Store {
    /// Reads the state of a lease, live or not.
    fn state(&self, key: &LeaseKey) -> Result<Option<LeaseState>, Error>;

    /// Reads a lease, live or not. For a key without a scope, one lease of that kind and id: a
    /// live one before an expired one, then the one that was registered last.
    fn lease(&self, key: &LeaseKey, now: UnixMillis) -> Result<Option<StoredLease>, Error>;

    /// Reads all leases of that kind and id, live or not, in the order of their scopes.
    fn entries(&self, kind: LeaseKind, id: &str) -> Result<Vec<StoredEntry>, Error>;

    /// Writes a lease in place of any other under its key. One row.
    fn put(&self, key: &LeaseKey, lease: &StoredLease) -> Result<(), Error>;

    /// Removes a lease.
    fn delete(&self, key: &LeaseKey) -> Result<(), Error>;

    /// Marks a lease as counted by the census. One row.
    fn mark_counted(&self, key: &LeaseKey) -> Result<(), Error>;

    /// Stores the time until which the KV cache may hold a copy of a lease. One row.
    fn mark_cached(&self, key: &LeaseKey, until: UnixMillis) -> Result<(), Error>;

    /// Returns whether there are leases, live or not.
    fn has_leases(&self) -> Result<bool, Error>;

    /// Returns the end of the lease that expires first; `None` without leases.
    fn earliest_expiry(&self) -> Result<Option<UnixMillis>, Error>;

    /// Lists the leases that a sweep at `now` has to handle.
    fn due(&self, now: UnixMillis) -> Result<Vec<DueLease>, Error>;

    /// Adds registered colonies to this object's shard of the census, each in place of an earlier
    /// registration, and removes expired ones unless they registered since.
    fn report_colonies(
        &self,
        registered: &[CensusEntry],
        expired: &[CensusEntry],
    ) -> Result<(), Error>;

    /// Counts the colonies of this object's shard, and removes provisional entries that ended.
    fn count_colonies(&self, now: UnixMillis) -> Result<CensusCount, Error>;

    /// Stores the count of a shard, unless a newer one is stored.
    fn put_count(&self, shard: u32, colonies: i64, at: UnixMillis) -> Result<(), Error>;

    /// Returns the sum of the stored counts.
    fn total(&self) -> Result<i64, Error>;

    /// Returns the time of the object's alarm; `None` if none is set.
    async fn alarm(&self) -> Result<Option<UnixMillis>, Error>;

    /// Sets the object's alarm, together with the writes before it. One row.
    async fn set_alarm(&self, at: UnixMillis) -> Result<(), Error>;

    /// Removes everything, the alarm included.
    async fn delete_all(&self) -> Result<(), Error>;
}

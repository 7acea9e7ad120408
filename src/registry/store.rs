//! What the registry needs stored. All but the alarm is synchronous: nothing may come between
//! reading a lease and writing it.

use connect::Error;

use super::lease::Holder;
use crate::protos::coral::registry::v1::{CensusEntry, LeaseKey, LeaseKind};

/// A lease as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLease {
    /// Who holds it until when.
    pub holder: Holder,
    /// When it was registered last.
    pub registered_at_ms: i64,
    /// What lookups return.
    pub record: Vec<u8>,
}

impl StoredLease {
    /// A lease that neither the census nor a cache nor a mesh has to do with.
    #[must_use]
    pub fn new(owner: String, now_ms: i64, expires_at_ms: i64, record: Vec<u8>) -> Self {
        Self {
            holder: Holder {
                owner,
                expires_at_ms,
                counted: false,
                cached_until_ms: 0,
                told_until_ms: 0,
            },
            registered_at_ms: now_ms,
            record,
        }
    }
}

/// A lease as it lies in the store.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Which lease.
    pub key: LeaseKey,
    /// What is stored.
    pub lease: StoredLease,
    /// How many bytes that takes, with its key.
    pub bytes: usize,
}

/// A lease that a sweep has to do with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which lease.
    pub key: LeaseKey,
    /// When it was registered last.
    pub registered_at_ms: i64,
    /// Its last moment.
    pub expires_at_ms: i64,
    /// Whether the census knows of it.
    pub counted: bool,
}

/// A part of the census.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many colonies live.
    pub colonies: i64,
    /// When the next of them is believed no more unless its birth is told again; `None` if they all are told for sure.
    pub believed_until_ms: Option<i64>,
}

impl Count {
    /// Counts a birth that is believed, and says so.
    #[must_use]
    pub fn add(&mut self, born: &CensusEntry, now_ms: i64) -> bool {
        if born.until_ms != 0 && born.until_ms < now_ms {
            return false;
        }
        self.colonies = self.colonies.saturating_add(1);
        if born.until_ms != 0 {
            let next = self.believed_until_ms.unwrap_or(i64::MAX);
            self.believed_until_ms = Some(next.min(born.until_ms));
        }
        true
    }
}

/// Whether a birth says more than what was known of that colony.
#[must_use]
pub fn is_news(known: Option<&CensusEntry>, birth: &CensusEntry) -> bool {
    known.is_none_or(|known| {
        let is_surer = known.until_ms != 0 && birth.until_ms == 0;
        known.at_ms < birth.at_ms || (known.at_ms == birth.at_ms && is_surer)
    })
}

/// Rows as the platform bills them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Rows that were read.
    pub rows_read: u64,
    /// Rows that were written; setting an alarm is one.
    pub rows_written: u64,
}

/// The storage of one object. Every method fails with `internal` when storage does.
#[allow(
    async_fn_in_trait,
    reason = "an isolate has one thread: futures need not be Send"
)]
pub trait Store {
    /// Who holds a lease, alive or not.
    fn holder(&self, key: &LeaseKey) -> Result<Option<Holder>, Error>;

    /// A lease, alive or not. Without a scope, one of that kind and id: a live one before a lapsed
    /// one, then the one that was registered last.
    fn lease(&self, key: &LeaseKey, now_ms: i64) -> Result<Option<StoredLease>, Error>;

    /// All leases of that kind and id, alive or not, whatever their scope, in the order of their scopes.
    fn leases(&self, kind: LeaseKind, id: &str) -> Result<Vec<Kept>, Error>;

    /// Writes a lease in place of any other of its key. One row.
    fn put(&self, key: &LeaseKey, lease: &StoredLease) -> Result<(), Error>;

    /// Removes a lease.
    fn delete(&self, key: &LeaseKey) -> Result<(), Error>;

    /// Notes that the census counts a lease. One row.
    fn mark_counted(&self, key: &LeaseKey) -> Result<(), Error>;

    /// Notes until when a cache may have a copy of a lease. One row.
    fn mark_cached(&self, key: &LeaseKey, until_ms: i64) -> Result<(), Error>;

    /// Whether there are leases, alive or not.
    fn has_leases(&self) -> Result<bool, Error>;

    /// The last moment of the lease that lapses first; `None` without leases.
    fn earliest_expiry(&self) -> Result<Option<i64>, Error>;

    /// What a sweep has to do with: leases that have lapsed, and colonies that the census does not
    /// know of.
    fn due(&self, now_ms: i64) -> Result<Vec<Listed>, Error>;

    /// Adds births to this object's part of the census, each in place of one of an earlier moment, and removes deaths that
    /// are not older than the last birth of that colony.
    fn report(&self, births: &[CensusEntry], deaths: &[CensusEntry]) -> Result<(), Error>;

    /// Counts the colonies that this object's part of the census has, and removes those that are believed no more.
    fn count(&self, now_ms: i64) -> Result<Count, Error>;

    /// Notes the count of a part of the census, unless a newer one is known.
    fn put_count(&self, shard: u32, colonies: i64, at_ms: i64) -> Result<(), Error>;

    /// The sum of the counts that were noted.
    fn total(&self) -> Result<i64, Error>;

    /// When the object will be woken; `None` if it never asked, or was.
    async fn alarm(&self) -> Result<Option<i64>, Error>;

    /// Asks to be woken at a time. Takes effect together with the writes before it. One row.
    async fn set_alarm(&self, at_ms: i64) -> Result<(), Error>;

    /// Gives back everything, alarm included.
    async fn delete_all(&self) -> Result<(), Error>;
}

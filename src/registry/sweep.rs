//! What an object does when its alarm wakes it: removes what has lapsed and feeds the census.

use connect::{Error, Host};

use super::census::Census;
use super::lease::{is_live, swept_at};
use super::service::{Alarm, Registry};
use super::store::{Listed, Store};
use crate::addressing::Role;
use crate::protos::coral::registry::v1::{CensusEntry, LeaseKind, ReportCountRequest};

/// How long after a failed report it is tried again.
const RETRY_MS: i64 = 5_000;

impl<S: Store, H: Host> Registry<S, H> {
    /// Sweeps once and sets the next alarm, or gives the storage back if nothing is left.
    ///
    /// Births and deaths reach the census at least once: a lease counts as counted, and a dead
    /// one is removed, only after the report. (Of most births it has heard before, from the Worker.)
    /// A failing census is asked again by the next alarm; it delays nothing else.
    ///
    /// # Errors
    /// The storage's: then no alarm is set, and the runtime should try this one again.
    ///
    /// # Returns
    /// Why the census could not be told.
    pub async fn sweep(&self, census: &impl Census) -> Result<Option<Error>, Error> {
        let swept = match self.role {
            Role::Leases => self.sweep_leases(census).await,
            Role::CensusShard(shard) => self.tell_count(census, shard).await,
            Role::CensusTotal => self.tell_total(census).await,
        };
        if swept.is_err() {
            self.alarm.set(Alarm::Unknown);
        }
        swept
    }

    async fn sweep_leases(&self, census: &impl Census) -> Result<Option<Error>, Error> {
        let now_ms = self.host.now_ms();
        // What comes while the census is told waits for the alarm that is set in the end.
        self.alarm.set(Alarm::Known(Some(now_ms)));
        let is_dead = |lease: &Listed| !is_live(lease.expires_at_ms, now_ms);
        let due = self.store.due(now_ms)?;
        let (dead, born): (Vec<_>, Vec<_>) = due.into_iter().partition(is_dead);
        // Also of those that are not counted: an earlier life of theirs may still be.
        let died = dead.iter().filter(|lease| is_colony(lease));
        let untold = match (entries(born.iter()), entries(died)) {
            (births, deaths) if births.is_empty() && deaths.is_empty() => None,
            (births, deaths) => census.report(births, deaths).await.err(),
        };
        if untold.is_none() {
            self.settle(&born, &dead)?;
        }
        self.schedule(untold.is_some()).await?;
        Ok(untold)
    }

    /// After the report. A lease may have been renewed, taken over or removed while it ran.
    fn settle(&self, born: &[Listed], dead: &[Listed]) -> Result<(), Error> {
        for lease in born {
            let now = self.store.holder(&lease.key)?;
            if now.is_some_and(|now| !now.counted && now.expires_at_ms >= lease.expires_at_ms) {
                self.store.mark_counted(&lease.key)?;
            }
        }
        for lease in dead {
            let now = self.store.holder(&lease.key)?;
            if now.is_some_and(|now| now.expires_at_ms == lease.expires_at_ms) {
                self.store.delete(&lease.key)?;
            }
        }
        Ok(())
    }

    async fn schedule(&self, failed: bool) -> Result<(), Error> {
        if self.delete_all_if_empty().await? {
            return Ok(());
        }
        let now_ms = self.host.now_ms();
        let at_ms = if failed {
            Some(now_ms.saturating_add(RETRY_MS.min(self.settings.cleanup_interval_ms)))
        } else {
            let earliest = self.store.earliest_expiry()?;
            earliest.map(|at_ms| next_sweep(at_ms, now_ms, self.settings.cleanup_interval_ms))
        };
        match at_ms {
            Some(at_ms) => self.wake_at(at_ms).await,
            None => {
                self.alarm.set(Alarm::Known(None));
                Ok(())
            }
        }
    }

    /// A part of the census tells the sum how many it counts.
    async fn tell_count(&self, census: &impl Census, shard: u32) -> Result<Option<Error>, Error> {
        let now_ms = self.host.now_ms();
        let counted = self.store.count(now_ms)?;
        let count = ReportCountRequest {
            shard,
            colonies: counted.colonies,
            at_ms: now_ms,
        };
        self.alarm.set(Alarm::Known(None));
        let untold = census.report_count(count).await.err();
        self.rest(untold.is_some(), counted.believed_until_ms)
            .await?;
        Ok(untold)
    }

    /// The sum is made known.
    async fn tell_total(&self, census: &impl Census) -> Result<Option<Error>, Error> {
        let total = self.store.total()?;
        self.alarm.set(Alarm::Known(None));
        let untold = census.publish(total).await.err();
        self.rest(untold.is_some(), None).await?;
        Ok(untold)
    }

    /// Nothing is to be done until the next report, unless the last one failed, or another came
    /// meanwhile and set an alarm of its own, or something is believed only until then.
    async fn rest(&self, failed: bool, until_ms: Option<i64>) -> Result<(), Error> {
        if self.alarm.get() != Alarm::Known(None) {
            return Ok(());
        }
        if failed {
            let retry_ms = RETRY_MS.min(self.settings.cleanup_interval_ms);
            return self
                .wake_at(self.host.now_ms().saturating_add(retry_ms))
                .await;
        }
        match until_ms {
            Some(until_ms) => self.wake_at(until_ms.saturating_add(1)).await,
            None => self.delete_all_if_empty().await.map(drop),
        }
    }
}

/// After the next lease lapses, but not more than once in an interval.
fn next_sweep(earliest_expiry_ms: i64, now_ms: i64, interval_ms: i64) -> i64 {
    swept_at(earliest_expiry_ms, interval_ms).max(now_ms.saturating_add(interval_ms))
}

fn is_colony(lease: &Listed) -> bool {
    lease.key.kind() == LeaseKind::Colony
}

fn entries<'a>(leases: impl Iterator<Item = &'a Listed>) -> Vec<CensusEntry> {
    leases
        .map(|lease| CensusEntry {
            mesh_id: lease.key.id.clone(),
            at_ms: lease.registered_at_ms,
            until_ms: 0,
        })
        .collect()
}

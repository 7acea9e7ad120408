//! The sweep, run by an object's alarm: removes what has lapsed and feeds the census.

use connect::{Error, Host};

use super::census::Census;
use super::lease::is_live;
use super::service::Registry;
use super::store::{Listed, Store};
use crate::protos::coral::registry::v1::LeaseKind;

/// How long after a failed report the sweep tries again.
const RETRY_MS: i64 = 5_000;

impl<S: Store, H: Host> Registry<S, H> {
    /// Sweeps once and sets the next alarm, or gives the storage back if nothing is left.
    ///
    /// Births and deaths reach the census at least once: a lease counts as counted, and a dead
    /// one is removed, only after the report. A failing census is asked again by the next alarm;
    /// it delays nothing else.
    ///
    /// # Errors
    /// The storage's: then no alarm is set, and the runtime should try this one again.
    ///
    /// # Returns
    /// Why the census could not be told.
    pub async fn sweep(&self, census: &impl Census) -> Result<Option<Error>, Error> {
        let swept = self.sweep_once(census).await;
        if swept.is_err() {
            self.alarm_at_ms.set(None);
        }
        swept
    }

    async fn sweep_once(&self, census: &impl Census) -> Result<Option<Error>, Error> {
        let now_ms = self.host.now_ms();
        let is_dead = |lease: &Listed| !is_live(lease.expires_at_ms, now_ms);
        let leases = self.store.list()?;
        let (dead, alive): (Vec<_>, Vec<_>) = leases.into_iter().partition(is_dead);
        let born: Vec<_> = alive.into_iter().filter(is_uncounted).collect();
        // Also of those that are not counted: an earlier life of theirs may still be.
        let died = dead.iter().filter(|lease| is_colony(lease));
        let untold = match (ids(born.iter()), ids(died)) {
            (born, died) if born.is_empty() && died.is_empty() => None,
            (born, died) => census.report(born, died).await.err(),
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
            Some(now_ms.saturating_add(RETRY_MS.min(self.cleanup_interval_ms)))
        } else if self.store.list()?.iter().any(is_uncounted) {
            Some(now_ms)
        } else {
            let earliest = self.store.earliest_expiry()?;
            earliest.map(|at_ms| next_sweep(at_ms, now_ms, self.cleanup_interval_ms))
        };
        self.alarm_at_ms.set(at_ms);
        match at_ms {
            Some(at_ms) => self.store.set_alarm(at_ms).await,
            None => Ok(()),
        }
    }
}

/// Just after the next lease lapses, but not more than once in an interval.
fn next_sweep(earliest_expiry_ms: i64, now_ms: i64, interval_ms: i64) -> i64 {
    let lapsed_at_ms = earliest_expiry_ms.saturating_add(1);
    lapsed_at_ms.max(now_ms.saturating_add(interval_ms))
}

fn is_colony(lease: &Listed) -> bool {
    lease.key.kind() == LeaseKind::Colony
}

fn is_uncounted(lease: &Listed) -> bool {
    is_colony(lease) && !lease.counted
}

fn ids<'a>(leases: impl Iterator<Item = &'a Listed>) -> Vec<String> {
    leases.map(|lease| lease.key.id.clone()).collect()
}

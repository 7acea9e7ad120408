//! The sweep: an object's alarm removes expired leases and feeds the census.

use std::time::Duration;

use connect::{Error, Runtime, UnixMillis};

use crate::census::Census;
use crate::lease::{is_live, sweep_time};
use crate::object::{Alarm, RegistryObject};
use crate::object_names::Role;
use crate::proto::{CensusEntry, LeaseKind, ReportCountRequest};
use crate::storage::{DueLease, Store};

/// The time after which a failed report is repeated.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl<S: Store, R: Runtime> RegistryObject<S, R> {
    /// Sweeps once and sets the next alarm, or removes everything if nothing is left.
    ///
    /// Registered and expired colonies reach the census at least once: a lease is marked as
    /// counted, and an expired one removed, only after the report. (The Worker reports most
    /// registrations before.) When the census fails, the next alarm repeats the report, and the
    /// expired leases stay until then: lookups do not return them, but their rows remain.
    ///
    /// # Errors
    /// `internal` when the storage fails: no alarm is set, and the host should repeat this one.
    ///
    /// # Returns
    /// The error of the census, if it failed.
    pub async fn sweep(&self, census: &impl Census) -> Result<Option<Error>, Error> {
        let swept = match self.role {
            Role::Leases => self.sweep_leases(census).await,
            Role::CensusShard(shard) => self.report_shard_count(census, shard).await,
            Role::CensusTotal => self.publish_total(census).await,
        };
        if swept.is_err() {
            self.alarm.set(Alarm::Unknown);
        }
        swept
    }

    async fn sweep_leases(&self, census: &impl Census) -> Result<Option<Error>, Error> {
        let now = self.now();
        // Calls that arrive while the report is under way rely on the alarm set at the end.
        self.alarm.set(Alarm::Known(Some(now)));
        let is_expired = |lease: &DueLease| !is_live(lease.expires_at, now);
        let due = self.store.due(now)?;
        let (expired, registered): (Vec<_>, Vec<_>) = due.into_iter().partition(is_expired);
        // Uncounted ones too: the census may still count an earlier registration of theirs.
        let expired_colonies = expired.iter().filter(|lease| is_colony(lease));
        let failed = match (entries(registered.iter()), entries(expired_colonies)) {
            (registered, expired) if registered.is_empty() && expired.is_empty() => None,
            (registered, expired) => census.report_colonies(registered, expired).await.err(),
        };
        if failed.is_none() {
            self.apply_reported(&registered, &expired)?;
        }
        self.schedule_next(failed.is_some()).await?;
        Ok(failed)
    }

    /// Marks and removes leases after a successful report. A lease may have been renewed, taken
    /// over or removed while the report was under way.
    fn apply_reported(&self, registered: &[DueLease], expired: &[DueLease]) -> Result<(), Error> {
        for lease in registered {
            let state = self.store.state(&lease.key)?;
            if state.is_some_and(|state| !state.counted && state.expires_at >= lease.expires_at) {
                self.store.mark_counted(&lease.key)?;
            }
        }
        for lease in expired {
            let state = self.store.state(&lease.key)?;
            if state.is_some_and(|state| state.expires_at == lease.expires_at) {
                self.store.delete(&lease.key)?;
            }
        }
        Ok(())
    }

    async fn schedule_next(&self, failed: bool) -> Result<(), Error> {
        if self.delete_all_if_empty().await? {
            return Ok(());
        }
        let now = self.now();
        let next = if failed {
            Some(now + self.retry_after())
        } else {
            let earliest = self.store.earliest_expiry()?;
            earliest.map(|expiry| next_sweep(expiry, now, self.settings.cleanup_interval))
        };
        match next {
            Some(at) => self.set_alarm(at).await,
            None => {
                self.alarm.set(Alarm::Known(None));
                Ok(())
            }
        }
    }

    async fn report_shard_count(
        &self,
        census: &impl Census,
        shard: u32,
    ) -> Result<Option<Error>, Error> {
        let now = self.now();
        let count = self.store.count_colonies(now)?;
        let report = ReportCountRequest {
            shard,
            colonies: count.colonies,
            at_ms: now.as_millis(),
        };
        self.alarm.set(Alarm::Known(None));
        let failed = census.report_count(report).await.err();
        self.schedule_census(failed.is_some(), count.provisional_until)
            .await?;
        Ok(failed)
    }

    async fn publish_total(&self, census: &impl Census) -> Result<Option<Error>, Error> {
        let total = self.store.total()?;
        self.alarm.set(Alarm::Known(None));
        let failed = census.publish_count(total).await.err();
        self.schedule_census(failed.is_some(), None).await?;
        Ok(failed)
    }

    /// Sets the next alarm of a census object: to repeat a failed report, or for the end of the
    /// next provisional entry. A report that came meanwhile has set one already.
    async fn schedule_census(
        &self,
        failed: bool,
        provisional_until: Option<UnixMillis>,
    ) -> Result<(), Error> {
        if self.alarm.get() != Alarm::Known(None) {
            return Ok(());
        }
        if failed {
            return self.set_alarm(self.now() + self.retry_after()).await;
        }
        match provisional_until {
            Some(until) => self.set_alarm(until + Duration::from_millis(1)).await,
            None => self.delete_all_if_empty().await.map(drop),
        }
    }

    fn retry_after(&self) -> Duration {
        RETRY_AFTER.min(self.settings.cleanup_interval)
    }
}

/// Returns the time of the next sweep: after the next lease expires, at most once an interval.
fn next_sweep(earliest_expiry: UnixMillis, now: UnixMillis, interval: Duration) -> UnixMillis {
    sweep_time(earliest_expiry, interval).max(now + interval)
}

fn is_colony(lease: &DueLease) -> bool {
    lease.key.kind() == LeaseKind::Colony
}

fn entries<'a>(leases: impl Iterator<Item = &'a DueLease>) -> Vec<CensusEntry> {
    leases
        .map(|lease| CensusEntry {
            mesh_id: lease.key.id.clone(),
            at_ms: lease.registered_at.as_millis(),
            provisional_until_ms: 0,
        })
        .collect()
}

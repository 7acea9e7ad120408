//! The alarm of an object: it is set once, for the first lease to expire, and remembered.

use std::time::Duration;

use connect::{Error, Runtime, UnixMillis};

use crate::lease::sweep_time;
use crate::object::{Alarm, RegistryObject};
use crate::storage::Store;

impl<S: Store, R: Runtime> RegistryObject<S, R> {
    /// Sets the alarm in the same turn as the writes before it, so that both are stored or neither.
    pub(crate) async fn set_alarm(&self, at: UnixMillis) -> Result<(), Error> {
        self.alarm.set(Alarm::Known(Some(at)));
        let set = self.store.set_alarm(at).await;
        if set.is_err() {
            self.alarm.set(Alarm::Unknown);
        }
        set
    }

    /// Sets the alarm that a write needs, if it needs one.
    pub(crate) async fn set_alarm_if_needed(&self, at: Option<UnixMillis>) -> Result<(), Error> {
        match at {
            Some(at) => self.set_alarm(at).await,
            None => Ok(()),
        }
    }

    /// Sets the alarm for the time at which more changes of the census may have come, unless it is
    /// set for a time before.
    pub(crate) async fn set_alarm_after_debounce(&self) -> Result<(), Error> {
        let now = self.now();
        let debounced_at = now + self.settings.census_debounce;
        let is_set = self
            .load_alarm()
            .await?
            .is_some_and(|at| at <= debounced_at && !self.is_lost(at, now));
        if is_set {
            return Ok(());
        }
        self.set_alarm(debounced_at).await
    }

    /// Returns the time of the alarm, which is read from the store once in an instance's life: a
    /// new instance knows nothing of those before it.
    pub(crate) async fn load_alarm(&self) -> Result<Option<UnixMillis>, Error> {
        match self.alarm.get() {
            Alarm::Known(at) => Ok(at),
            Alarm::Unknown => {
                let at = self.store.alarm().await?;
                // Another call may have set it meanwhile.
                if self.alarm.get() == Alarm::Unknown {
                    self.alarm.set(Alarm::Known(at));
                }
                Ok(at)
            }
        }
    }

    /// Returns whether an alarm is so late that it will not fire: the host gives up on an alarm
    /// that keeps failing.
    fn is_lost(&self, at: UnixMillis, now: UnixMillis) -> bool {
        at + self.settings.cleanup_interval < now
    }

    /// Returns the alarm that a newly written lease needs, if the alarm is not set early enough.
    pub(crate) fn alarm_for(&self, expires_at: UnixMillis, now: UnixMillis) -> Option<UnixMillis> {
        let interval = self.settings.cleanup_interval;
        let needed_by = expires_at + Duration::from_millis(1) + interval;
        match self.alarm.get() {
            Alarm::Known(Some(at)) if at <= needed_by && !self.is_lost(at, now) => None,
            _ => Some(sweep_time(expires_at, interval)),
        }
    }
}

/// Returns the earlier of two alarms.
pub(crate) fn earlier(one: Option<UnixMillis>, other: Option<UnixMillis>) -> Option<UnixMillis> {
    one.into_iter().chain(other).min()
}

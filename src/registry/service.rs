//! The internal service: the rules of leases applied to a store.

use std::cell::Cell;

use connect::{Context, Error, Host, Response};

use super::lease::{Decision, Holder, decide, is_live};
use super::store::{Store, StoredLease};
use crate::protos::coral::registry::v1::register_response::Outcome;
use crate::protos::coral::registry::v1::{
    Conflict, CountCensusRequest, CountCensusResponse, Granted, Lease, LeaseKey, LeaseKind,
    LookupRequest, LookupResponse, RegisterRequest, RegisterResponse, RegistryService,
    ReleaseRequest, ReleaseResponse, ReportCensusRequest, ReportCensusResponse,
};

/// One object's leases and its part of the census.
#[derive(Debug)]
pub struct Registry<S, H> {
    /// What is kept.
    pub store: S,
    pub(super) host: H,
    pub(super) cleanup_interval_ms: i64,
    /// The time for which the alarm is set, as far as this instance of the object knows.
    pub(super) alarm_at_ms: Cell<Option<i64>>,
}

impl<S: Store, H: Host> Registry<S, H> {
    /// A registry that removes lapsed leases within `cleanup_interval_ms`.
    pub fn new(store: S, host: H, cleanup_interval_ms: i64) -> Self {
        Self {
            store,
            host,
            cleanup_interval_ms,
            alarm_at_ms: Cell::new(None),
        }
    }

    /// The alarm that a newly written lease needs, if the one that is set is too late for it.
    ///
    /// An object that holds leases has an alarm, and that is due at the latest one cleanup
    /// interval after the first of them lapses: so says the sweep. It need not be asked for. One
    /// that is overdue by another interval is lost, as the runtime gives up on an alarm that keeps
    /// failing, and is set again.
    fn alarm_for(
        &self,
        written: &Holder,
        is_colony: bool,
        earliest_before: Option<i64>,
        now_ms: i64,
    ) -> Option<i64> {
        let at_the_latest = self
            .alarm_at_ms
            .get()
            .or_else(|| Some(earliest_before?.saturating_add(self.cleanup_interval_ms)));
        // The census learns of a birth at once, of a death when the sweep finds it.
        let (at_ms, needed_by_ms) = if is_colony && !written.counted {
            (now_ms, now_ms)
        } else {
            let lapsed_at_ms = written.expires_at_ms.saturating_add(1);
            (
                lapsed_at_ms,
                lapsed_at_ms.saturating_add(self.cleanup_interval_ms),
            )
        };
        let is_lost = |at_ms: i64| at_ms.saturating_add(self.cleanup_interval_ms) < now_ms;
        match at_the_latest {
            Some(set_for_ms) if set_for_ms <= needed_by_ms && !is_lost(set_for_ms) => None,
            _ => Some(at_ms),
        }
    }

    /// Leaves nothing stored, and nothing to pay for, once there is nothing to keep.
    pub(super) async fn delete_all_if_empty(&self) -> Result<bool, Error> {
        let is_empty = self.store.earliest_expiry()?.is_none() && self.store.count()? == 0;
        if is_empty {
            self.alarm_at_ms.set(None);
            self.store.delete_all().await?;
        }
        Ok(is_empty)
    }

    /// All of a registration up to the alarm, with nothing to wait for in between.
    fn write(&self, request: RegisterRequest) -> Result<(Outcome, Option<i64>), Error> {
        let key = checked(request.key)?;
        let now_ms = self.host.now_ms();
        let holder = self.store.holder(&key)?;
        let counted = match decide(holder.as_ref(), &request.owner, request.takeover, now_ms) {
            Decision::Grant { counted } => counted,
            Decision::Refuse { expires_at_ms } => {
                return Ok((Outcome::Conflict(Conflict { expires_at_ms }), None));
            }
        };
        let earliest_before = match self.alarm_at_ms.get() {
            None => self.store.earliest_expiry()?,
            Some(_) => None,
        };
        let lease = StoredLease {
            holder: Holder {
                owner: request.owner,
                expires_at_ms: now_ms.saturating_add(request.ttl_ms),
                counted,
            },
            registered_at_ms: now_ms,
            record: request.record,
        };
        self.store.put(&key, &lease)?;
        let is_colony = key.kind() == LeaseKind::Colony;
        let alarm = self.alarm_for(&lease.holder, is_colony, earliest_before, now_ms);
        let expires_at_ms = lease.holder.expires_at_ms;
        Ok((Outcome::Granted(Granted { expires_at_ms }), alarm))
    }
}

impl<S: Store, H: Host> RegistryService for Registry<S, H> {
    async fn register(
        &self,
        _: &Context,
        request: RegisterRequest,
    ) -> Result<Response<RegisterResponse>, Error> {
        let (outcome, alarm) = self.write(request)?;
        if let Some(at_ms) = alarm {
            // Asked for in the same turn as the write, so that both are stored or neither.
            self.alarm_at_ms.set(Some(at_ms));
            self.store.set_alarm(at_ms).await?;
        }
        Ok(RegisterResponse {
            outcome: Some(outcome),
        }
        .into())
    }

    async fn lookup(
        &self,
        _: &Context,
        request: LookupRequest,
    ) -> Result<Response<LookupResponse>, Error> {
        let now_ms = self.host.now_ms();
        let lease = self.store.lease(&checked(request.key)?, now_ms)?;
        let expired = lease
            .as_ref()
            .is_some_and(|lease| !is_live(lease.holder.expires_at_ms, now_ms));
        Ok(LookupResponse {
            lease: lease.filter(|_| !expired).map(|lease| Lease {
                record: lease.record,
                registered_at_ms: lease.registered_at_ms,
                expires_at_ms: lease.holder.expires_at_ms,
            }),
            expired,
        }
        .into())
    }

    async fn release(
        &self,
        _: &Context,
        request: ReleaseRequest,
    ) -> Result<Response<ReleaseResponse>, Error> {
        let key = checked(request.key)?;
        let now_ms = self.host.now_ms();
        let released = self
            .store
            .holder(&key)?
            .is_some_and(|holder| is_live(holder.expires_at_ms, now_ms));
        if released {
            self.store.delete(&key)?;
            self.delete_all_if_empty().await?;
        }
        Ok(ReleaseResponse { released }.into())
    }

    async fn report_census(
        &self,
        _: &Context,
        request: ReportCensusRequest,
    ) -> Result<Response<ReportCensusResponse>, Error> {
        self.store.report(&request.born, &request.died)?;
        self.delete_all_if_empty().await?;
        Ok(ReportCensusResponse {}.into())
    }

    async fn count_census(
        &self,
        _: &Context,
        _: CountCensusRequest,
    ) -> Result<Response<CountCensusResponse>, Error> {
        let colonies = self.store.count()?;
        Ok(CountCensusResponse { colonies }.into())
    }
}

fn checked(key: Option<LeaseKey>) -> Result<LeaseKey, Error> {
    key.filter(|key| key.kind() != LeaseKind::Unspecified && !key.id.is_empty())
        .ok_or_else(|| Error::invalid_argument("key needs a kind and an id"))
}

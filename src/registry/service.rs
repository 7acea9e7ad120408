//! The internal service: the rules of leases applied to a store.

use std::cell::{Cell, RefCell};
use std::num::NonZeroU32;

use connect::{Context, Error, Host, Response};
use prost::Message as _;

use super::heat::{Heat, Warmth};
use super::lease::{Decision, Holder, decide, is_live, swept_at};
use super::recall::Recalling;
use super::store::{Store, StoredLease};
use crate::addressing::Role;
use crate::cache::MAX_AGE_MS;
use crate::protos::coral::registry::v1::register_response::Outcome;
use crate::protos::coral::registry::v1::{
    AcknowledgeRequest, AcknowledgeResponse, Conflict, CountCensusRequest, CountCensusResponse,
    EvictRequest, EvictResponse, Granted, Lease, LeaseKey, LeaseKind, ListLeasesRequest,
    ListLeasesResponse, LookupRequest, LookupResponse, PublishRequest, PublishResponse,
    RegisterRequest, RegisterResponse, RegistryService, ReleaseRequest, ReleaseResponse,
    ReportCensusRequest, ReportCensusResponse, ReportCountRequest, ReportCountResponse,
    ReportMembersRequest, ReportMembersResponse, SpendRequest, SpendResponse,
};
use crate::traps;

/// One object's leases, or its part of the census.
#[derive(Debug)]
pub struct Registry<S, H> {
    /// What is kept.
    pub store: Recalling<S>,
    pub(super) host: H,
    pub(super) role: Role,
    pub(super) settings: Settings,
    pub(super) alarm: Cell<Alarm>,
    /// Meshes for whose colony a message has come, to be told by whoever holds their connections.
    pub arrived: RefCell<Vec<String>>,
    heat: Heat,
}

/// What this instance of an object knows of its alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alarm {
    /// It was just started.
    Unknown,
    /// For when it is set; `None` if it is not.
    Known(Option<i64>),
}

/// What can be set of an object.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// For how long a lapsed lease may stay.
    pub cleanup_interval_ms: i64,
    /// From how many lookups a minute a lease is hot; without, never.
    pub hot_lookups: Option<NonZeroU32>,
    /// For how long changes of the census are gathered before they are reported.
    pub census_debounce_ms: i64,
    /// Whether the sum of the census is to be published.
    pub publishes: bool,
}

impl<S: Store, H: Host> Registry<S, H> {
    /// One instance of an object.
    pub fn new(store: S, host: H, role: Role, settings: Settings) -> Self {
        let heat = Heat::new(settings.hot_lookups);
        Self {
            store: Recalling::new(store),
            host,
            role,
            settings,
            alarm: Cell::new(Alarm::Unknown),
            arrived: RefCell::default(),
            heat,
        }
    }

    /// Asks to be woken: in the same turn as the writes before it, so that both are stored or neither.
    pub(super) async fn wake_at(&self, at_ms: i64) -> Result<(), Error> {
        self.alarm.set(Alarm::Known(Some(at_ms)));
        let set = self.store.set_alarm(at_ms).await;
        if set.is_err() {
            self.alarm.set(Alarm::Unknown);
        }
        set
    }

    async fn wake_if_due(&self, alarm: Option<i64>) -> Result<(), Error> {
        match alarm {
            Some(at_ms) => self.wake_at(at_ms).await,
            None => Ok(()),
        }
    }

    /// Asks to be woken when more changes may have come, unless that was asked before.
    async fn wake_after_debounce(&self) -> Result<(), Error> {
        let now_ms = self.host.now_ms();
        let set_for_ms = self.know_alarm().await?;
        let gathered_at_ms = now_ms.saturating_add(self.settings.census_debounce_ms);
        let is_set =
            set_for_ms.is_some_and(|at_ms| at_ms <= gathered_at_ms && !self.is_lost(at_ms, now_ms));
        if is_set {
            return Ok(());
        }
        self.wake_at(gathered_at_ms).await
    }

    /// When the alarm goes off. Asked of the platform once in an instance's life: an instance that was
    /// just started knows nothing of those before it.
    async fn know_alarm(&self) -> Result<Option<i64>, Error> {
        match self.alarm.get() {
            Alarm::Known(at_ms) => Ok(at_ms),
            Alarm::Unknown => {
                let at_ms = self.store.alarm().await?;
                // Another call may have set it meanwhile.
                if self.alarm.get() == Alarm::Unknown {
                    self.alarm.set(Alarm::Known(at_ms));
                }
                Ok(at_ms)
            }
        }
    }

    /// Whether an alarm is so late that it will not come: the runtime gives up on one that keeps failing.
    fn is_lost(&self, at_ms: i64, now_ms: i64) -> bool {
        at_ms.saturating_add(self.settings.cleanup_interval_ms) < now_ms
    }

    /// The alarm that a newly written lease needs, if the one that is set is too late for it.
    pub(super) fn alarm_for(&self, expires_at_ms: i64, now_ms: i64) -> Option<i64> {
        let interval_ms = self.settings.cleanup_interval_ms;
        let needed_by_ms = expires_at_ms.saturating_add(1).saturating_add(interval_ms);
        match self.alarm.get() {
            Alarm::Known(Some(set_for_ms))
                if set_for_ms <= needed_by_ms && !self.is_lost(set_for_ms, now_ms) =>
            {
                None
            }
            _ => Some(swept_at(expires_at_ms, interval_ms)),
        }
    }

    /// Leaves nothing stored, and nothing to pay for, once there is nothing to keep.
    pub(super) async fn delete_all_if_empty(&self) -> Result<bool, Error> {
        let is_empty = match self.role {
            Role::Leases => !self.store.has_leases()?,
            Role::CensusShard(_) => self.store.count(self.host.now_ms())?.colonies == 0,
            // It keeps when each part was counted: a report that comes late must not replace a newer one.
            Role::CensusTotal => false,
        };
        if is_empty {
            self.alarm.set(Alarm::Known(None));
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
        let was_live = holder
            .as_ref()
            .is_some_and(|holder| is_live(holder.expires_at_ms, now_ms));
        let (cached_until_ms, mut told_until_ms) = holder.map_or((0, 0), |holder| {
            (holder.cached_until_ms, holder.told_until_ms)
        });
        let expires_at_ms = now_ms.saturating_add(request.ttl_ms);
        // The mesh must believe in its agent for as long as the lease lives: told so for a lease's time more, it
        // need not be told at each renewal.
        let tells_mesh = key.kind() == LeaseKind::Agent && told_until_ms < expires_at_ms;
        if tells_mesh {
            told_until_ms = expires_at_ms.saturating_add(request.ttl_ms);
        }
        let mut lease = StoredLease {
            holder: Holder {
                owner: request.owner,
                expires_at_ms,
                counted,
                cached_until_ms,
                told_until_ms,
            },
            registered_at_ms: now_ms,
            record: request.record,
        };
        // A cache may have a copy that says something else.
        let rewrite_cache = now_ms < cached_until_ms && {
            let before = self.store.lease(&key, now_ms)?;
            before.is_some_and(|before| before.record != lease.record)
        };
        if rewrite_cache {
            lease.holder.cached_until_ms = now_ms.saturating_add(MAX_AGE_MS);
        }
        self.store.put(&key, &lease)?;
        let alarm = self.alarm_for(expires_at_ms, now_ms);
        let granted = Granted {
            expires_at_ms,
            registered_at_ms: now_ms,
            rewrite_cache,
            is_new: !was_live,
            tell_mesh_until_ms: if tells_mesh { told_until_ms } else { 0 },
        };
        Ok((Outcome::Granted(granted), alarm))
    }
}

impl<S: Store, H: Host> RegistryService for Registry<S, H> {
    async fn register(
        &self,
        _: &Context,
        request: RegisterRequest,
    ) -> Result<Response<RegisterResponse>, Error> {
        self.know_alarm().await?;
        let (outcome, alarm) = self.write(request)?;
        self.wake_if_due(alarm).await?;
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
        let key = checked(request.key)?;
        traps::at("trap-inside", &key.id);
        let lease = self.store.lease(&key, now_ms)?;
        let expired = lease
            .as_ref()
            .is_some_and(|lease| !is_live(lease.holder.expires_at_ms, now_ms))
            && !cfg!(feature = "broken");
        let lease = lease.filter(|_| !expired).map(|lease| Lease {
            record: lease.record,
            registered_at_ms: lease.registered_at_ms,
            expires_at_ms: lease.holder.expires_at_ms,
        });
        let warmth = match lease {
            Some(_) => self.heat.touch(&key.encode_to_vec(), now_ms),
            None => Warmth::default(),
        };
        if warmth.fill {
            let until_ms = now_ms.saturating_add(MAX_AGE_MS);
            self.store.mark_cached(&key, until_ms)?;
        }
        Ok(LookupResponse {
            lease,
            expired,
            hot: warmth.hot,
            fill_cache: warmth.fill,
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
        self.store.report(&request.births, &request.deaths)?;
        self.wake_after_debounce().await?;
        Ok(ReportCensusResponse {}.into())
    }

    async fn count_census(
        &self,
        _: &Context,
        _: CountCensusRequest,
    ) -> Result<Response<CountCensusResponse>, Error> {
        let colonies = match self.role {
            Role::CensusTotal => self.store.total()?,
            Role::CensusShard(_) | Role::Leases => self.store.count(self.host.now_ms())?.colonies,
        };
        Ok(CountCensusResponse { colonies }.into())
    }

    async fn report_count(
        &self,
        _: &Context,
        request: ReportCountRequest,
    ) -> Result<Response<ReportCountResponse>, Error> {
        let ReportCountRequest {
            shard,
            colonies,
            at_ms,
        } = request;
        self.store.put_count(shard, colonies, at_ms)?;
        if self.settings.publishes {
            self.wake_after_debounce().await?;
        } else {
            self.delete_all_if_empty().await?;
        }
        Ok(ReportCountResponse {}.into())
    }

    async fn spend(
        &self,
        _: &Context,
        request: SpendRequest,
    ) -> Result<Response<SpendResponse>, Error> {
        self.know_alarm().await?;
        let (answer, alarm) = self.take_of(&request)?;
        self.wake_if_due(alarm).await?;
        Ok(answer.into())
    }

    async fn publish(
        &self,
        _: &Context,
        request: PublishRequest,
    ) -> Result<Response<PublishResponse>, Error> {
        self.know_alarm().await?;
        let (answer, alarm) = self.leave(request)?;
        self.wake_if_due(alarm).await?;
        Ok(answer.into())
    }

    async fn acknowledge(
        &self,
        _: &Context,
        request: AcknowledgeRequest,
    ) -> Result<Response<AcknowledgeResponse>, Error> {
        let gone = self.remove(&request)?;
        Ok(AcknowledgeResponse { gone }.into())
    }

    async fn report_members(
        &self,
        _: &Context,
        request: ReportMembersRequest,
    ) -> Result<Response<ReportMembersResponse>, Error> {
        self.know_alarm().await?;
        let alarm = self.note_members(request)?;
        self.wake_if_due(alarm).await?;
        Ok(ReportMembersResponse {}.into())
    }

    async fn evict(
        &self,
        _: &Context,
        request: EvictRequest,
    ) -> Result<Response<EvictResponse>, Error> {
        let key = checked(request.key)?;
        let evicted = self.expire(&key)?;
        if evicted {
            self.wake_at(self.host.now_ms()).await?;
        }
        Ok(EvictResponse { evicted }.into())
    }

    async fn list_leases(
        &self,
        _: &Context,
        request: ListLeasesRequest,
    ) -> Result<Response<ListLeasesResponse>, Error> {
        Ok(self.list(&request)?.into())
    }
}

fn checked(key: Option<LeaseKey>) -> Result<LeaseKey, Error> {
    key.filter(|key| key.kind() != LeaseKind::Unspecified && !key.id.is_empty())
        .ok_or_else(|| Error::invalid_argument("key needs a kind and an id"))
}

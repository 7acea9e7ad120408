//! Leases as the handlers use them: asked of the object that holds them.

use std::borrow::Cow;
use std::time::Duration;

use connect::{CallOptions, Context, Error, wkt};

use super::{Discovery, Platform};
use crate::addressing::lease_object;
use crate::cache::Cache;
use crate::meter::AnsweredBy;
use crate::protos::coral::registry::v1::register_response::Outcome;
use crate::protos::coral::registry::v1::{
    CensusEntry, Granted, Lease, LeaseKey, LeaseKind, LookupRequest, Member, RegisterRequest,
    RegistryServiceClient, ReleaseRequest,
};
use crate::rate_limit::{self, Limit};
use crate::registry::client::Objects;
use crate::registry::reports::Reports as _;

/// When it is worth trying again: an object that was reset or moved is back by then.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How long a report may be under way, in milliseconds, with what is gathered and tried again.
const REPORTED_MS: i64 = 10_000;

/// Names a lease.
pub(super) fn key(kind: LeaseKind, id: String, scope: String) -> LeaseKey {
    LeaseKey {
        kind: kind.into(),
        id,
        scope,
    }
}

impl<P: Platform> Discovery<P> {
    fn cache(&self) -> Cache<'_, P::Kv, P::Host> {
        Cache {
            kv: self.platform.kv(),
            memo: &self.isolate.memo,
            config: &self.isolate.config,
            host: self.platform.host(),
        }
    }

    fn object_of(
        &self,
        key: &LeaseKey,
    ) -> RegistryServiceClient<<P::Objects as Objects>::Transport> {
        let name = lease_object(key, self.isolate.config.shards);
        self.platform.objects().object(&name)
    }

    /// Counts a registration by the caller's address, and by what is registered.
    ///
    /// # Errors
    /// `resource_exhausted`
    pub(super) async fn limit_registration(
        &self,
        cx: &Context,
        key: &LeaseKey,
        owner: &str,
    ) -> Result<(), Error> {
        self.limit_client(Limit::RegisterByClient, cx).await?;
        let lease = rate_limit::lease_key(key, owner);
        let limiter = self.platform.limiter();
        rate_limit::check(limiter, Limit::RegisterByLease, &lease).await
    }

    /// Gets or renews a lease.
    ///
    /// # Errors
    /// `already_exists` while another owner's lease is alive; `subject` says in its text what
    /// the lease is for.
    pub(super) async fn register_lease(
        &self,
        subject: &str,
        request: RegisterRequest,
    ) -> Result<Granted, Error> {
        let key = request.key.clone().unwrap_or_default();
        let asked_at_ms = self.now_ms();
        let answer = self
            .object_of(&key)
            .register(&request, CallOptions::default())
            .await
            .map_err(hide)?;
        match answer.message.outcome {
            Some(Outcome::Granted(granted)) => {
                let lease = Lease {
                    record: request.record,
                    registered_at_ms: granted.registered_at_ms,
                    expires_at_ms: granted.expires_at_ms,
                };
                self.cache()
                    .renew(&key, lease, asked_at_ms, granted.rewrite_cache);
                self.report(key, &granted);
                Ok(granted)
            }
            Some(Outcome::Conflict(conflict)) => {
                // Both predecessors' phrases: people search their logs for either.
                let until = wkt::Timestamp::from_unix_ms(conflict.expires_at_ms);
                Err(Error::already_exists(format!(
                    "{subject} '{}' already registered with different public key until {until} \
                     (already registered with different pubkey): this may be a split brain, \
                     wait until the lease lapses or use another id",
                    key.id
                )))
            }
            None => Err(Error::internal("the registry gave no answer")),
        }
    }

    /// Tells later who must know of it: the census of colonies, and meshes of agents where operators may ask.
    fn report(&self, key: LeaseKey, granted: &Granted) {
        let reports = self.platform.reports();
        if granted.is_new && key.kind() == LeaseKind::Colony {
            // By then the lease's own object has told of it for sure, or of its death.
            let interval_ms = self.isolate.config.cleanup_interval_ms;
            let told_ms = interval_ms.saturating_mul(2).saturating_add(REPORTED_MS);
            reports.birth(CensusEntry {
                mesh_id: key.id,
                at_ms: granted.registered_at_ms,
                until_ms: granted.expires_at_ms.saturating_add(told_ms),
            });
        } else if granted.tell_mesh_until_ms > 0 && self.isolate.config.admin_key_hash.is_some() {
            let member = Member {
                agent_id: key.id,
                until_ms: granted.tell_mesh_until_ms,
            };
            reports.member(key.scope, member);
        }
    }

    /// The record of a live lease, as its object has it: no copy of it.
    ///
    /// # Errors
    /// `unavailable`
    pub(super) async fn record(&self, key: LeaseKey) -> Result<Option<Vec<u8>>, Error> {
        let object = self.object_of(&key);
        let request = LookupRequest { key: Some(key) };
        let answer = object.lookup(&request, CallOptions::default()).await;
        Ok(answer
            .map_err(hide)?
            .message
            .lease
            .map(|lease| lease.record))
    }

    /// A live lease.
    ///
    /// # Errors
    /// `not_found`. Clients retry while the text contains `not found`, so both texts do.
    pub(super) async fn lookup_lease(&self, subject: &str, key: LeaseKey) -> Result<Lease, Error> {
        if let Some((lease, answered_by)) = self.cache().find(&key).await {
            self.meter
                .note(|usage| usage.answered_by = Some(answered_by));
            return Ok(lease);
        }
        let asked_at_ms = self.now_ms();
        let answered_by = Some(AnsweredBy::Object);
        self.meter.note(|usage| usage.answered_by = answered_by);
        let object = self.object_of(&key);
        let request = LookupRequest { key: Some(key) };
        let answer = object
            .lookup(&request, CallOptions::default())
            .await
            .map_err(hide)?
            .message;
        let key = request.key.unwrap_or_default();
        if let (Some(lease), true) = (&answer.lease, answer.hot) {
            self.cache()
                .keep(&key, lease, asked_at_ms, answer.fill_cache);
        }
        let id = key.id;
        match (answer.lease, answer.expired) {
            (Some(lease), _) => Ok(lease),
            (None, true) => Err(Error::not_found(format!(
                "{subject} not found: {id} (its registration has expired)"
            ))),
            (None, false) => Err(Error::not_found(format!("{subject} not found: {id}"))),
        }
    }

    /// Gives copies of a lease up, where they can be reached: another isolate's memory may have one for a moment.
    pub(super) fn forget(&self, key: &LeaseKey) {
        self.cache().forget(key);
    }

    /// Ends a lease. Whether there was a live one.
    pub(super) async fn release_lease(&self, key: LeaseKey) -> Result<bool, Error> {
        let object = self.object_of(&key);
        let request = ReleaseRequest { key: Some(key) };
        let answer = object.release(&request, CallOptions::default()).await;
        Ok(answer.map_err(hide)?.message.released)
    }
}

impl Granted {
    /// When the lease lapses.
    pub(super) fn expires_at(&self) -> wkt::Timestamp {
        wkt::Timestamp::from_unix_ms(self.expires_at_ms)
    }
}

/// Clients see of the registry's errors only that it cannot answer.
pub(super) fn hide(error: Error) -> Error {
    let cause = error.cause().unwrap_or_default();
    try_again("the registry cannot answer now, try again").with_cause(format!("{error} {cause}"))
}

/// What cannot be answered now, but may be in a moment.
pub(super) fn try_again(why: impl Into<Cow<'static, str>>) -> Error {
    Error::unavailable(why).with_retry_after(RETRY_AFTER)
}

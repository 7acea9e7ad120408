//! What the registry does not know is asked of the old server, and what registers here registers there as well.

use connect::{CallOptions, Code, Context, Error, Response};
use prost::Message as _;

use super::{Discovery, Platform, lease};
use crate::meter::AnsweredBy;
use crate::migration::{
    LEGACY, Legacy, Migration, Outcome, Registration, SOURCE, call_options, is_forwarded, patience,
    reason,
};
use crate::protos::coral::discovery::v1::{
    DiscoveryServiceClient, LookupColonyRequest, LookupColonyResponse, RegisterColonyRequest,
};
use crate::protos::coral::registry::v1::LeaseKind;

/// A client of the old server.
pub(super) type LegacyClient<P> =
    DiscoveryServiceClient<<<P as Platform>::Legacy as Legacy>::Transport>;

/// What an answer is if it is one to what was asked: whatever else may listen at that address can say `200 OK`.
pub(super) fn only_if<M>(is_it: bool, answer: Response<M>) -> Result<Response<M>, Error> {
    if is_it {
        Ok(answer)
    } else {
        Err(Error::unknown("the answer is to something else"))
    }
}

/// A colony, as the old server knows it.
pub(super) async fn find_colony<P: Platform>(
    legacy: LegacyClient<P>,
    request: &LookupColonyRequest,
    options: CallOptions,
) -> Result<Response<LookupColonyResponse>, Error> {
    let found = legacy.lookup_colony(request, options).await?;
    let is_it = found.message.mesh_id == request.mesh_id;
    only_if(is_it && !found.message.pubkey.is_empty(), found)
}

impl<P: Platform> Discovery<P> {
    /// How clients move, if they do and this is not a call that the other server has made for one.
    pub(super) fn migration(&self, cx: &Context) -> Option<&Migration> {
        let migration = self.isolate.config.migration.as_ref();
        migration.filter(|_| !is_forwarded(cx.headers()))
    }

    /// Asks the old server for what the registry has answered with `error`.
    ///
    /// # Errors
    /// `error` if there is no such server, or if it does not know it either; `unavailable` if it does not
    /// answer. As that error says `not found` too, clients that wait for a colony go on waiting.
    pub(super) async fn ask_legacy<M>(
        &self,
        cx: &Context,
        error: Error,
        ask: impl AsyncFnOnce(LegacyClient<P>, CallOptions) -> Result<Response<M>, Error>,
    ) -> Result<Response<M>, Error> {
        let Some(migration) = self.migration(cx) else {
            return Err(error);
        };
        if error.code() != Code::NotFound {
            return Err(error);
        }
        match self.ask(cx, migration, ask).await {
            (_, Some(Ok(found))) => {
                let answered_by = Some(AnsweredBy::Legacy);
                self.meter.note(|usage| usage.answered_by = answered_by);
                let mut answer = Response::from(found.message);
                answer.headers.insert(SOURCE, LEGACY);
                Ok(answer)
            }
            (Outcome::NotFound, _) => Err(error),
            _ => Err(lease::try_again(format!(
                "{} here, and the old server does not answer now",
                error.message()
            ))),
        }
    }

    /// Where registrations wait for the old server, a colony that does not hold its id here is not given it while another
    /// key holds it there. Also of a call that was passed on to us, as anybody can say that of theirs.
    ///
    /// # Errors
    /// `already_exists` if another key does; `unavailable` where the caller is in too much of a hurry to know.
    pub(super) async fn ask_before_granting(
        &self,
        cx: &Context,
        colony: &RegisterColonyRequest,
    ) -> Result<(), Error> {
        let migration = self.isolate.config.migration.as_ref();
        let Some(migration) = migration.filter(|migration| migration.is_awaited) else {
            return Ok(());
        };
        let key = lease::key(LeaseKind::Colony, colony.mesh_id.clone(), String::new());
        if let Some(record) = self.record(key).await? {
            let held = LookupColonyResponse::decode(record.as_slice()).unwrap_or_default();
            if held.pubkey == colony.pubkey {
                return Ok(());
            }
        }
        let request = LookupColonyRequest {
            mesh_id: colony.mesh_id.clone(),
        };
        let ask = async |legacy, options| find_colony::<P>(legacy, &request, options).await;
        match self.ask(cx, migration, ask).await {
            (_, Some(Ok(found))) if found.message.pubkey != colony.pubkey => {
                self.meter
                    .note(|usage| usage.legacy = Some(Outcome::SplitBrain));
                Err(Error::already_exists(format!(
                    "colony '{}' already registered with different public key at the server that this one \
                     replaces (already registered with different pubkey): this may be a split brain, wait \
                     until the lease lapses or use another id",
                    colony.mesh_id
                )))
            }
            (Outcome::Hurried, _) => Err(lease::try_again(
                "too little time to ask the server that this one replaces: allow for more",
            )),
            _ => Ok(()),
        }
    }

    /// Registers at the old server what was registered here. Whatever becomes of it, it is registered here.
    pub(super) async fn register_at_legacy(&self, cx: &Context, registration: Registration) {
        let Some(migration) = self.migration(cx) else {
            return;
        };
        let legacy = self.platform.legacy();
        if migration.is_awaited && !self.isolate.legacy.is_at_peace(self.now_ms()) {
            let send = async |client, options| {
                registration
                    .send(&client, options)
                    .await
                    .map(Response::from)
            };
            let (outcome, _) = self.ask(cx, migration, send).await;
            if !matches!(
                outcome,
                Outcome::Failed | Outcome::Skipped | Outcome::Hurried
            ) {
                return;
            }
        }
        legacy.register_later(registration, cx.peer());
    }

    /// Asks the old server, unless it is left in peace or no time is left for it.
    async fn ask<M>(
        &self,
        cx: &Context,
        migration: &Migration,
        ask: impl AsyncFnOnce(LegacyClient<P>, CallOptions) -> Result<Response<M>, Error>,
    ) -> (Outcome, Option<Result<Response<M>, Error>>) {
        let started_at_ms = self.now_ms();
        let patience = patience(migration, cx.deadline(), started_at_ms);
        let is_hurried = patience < migration.timeout;
        let reachability = &self.isolate.legacy;
        let (outcome, answer) = if is_hurried && !reachability.is_asked_in_a_hurry()
            || !is_hurried && !reachability.is_asked(started_at_ms)
        {
            (Outcome::Skipped, None)
        } else if patience.is_zero() {
            (Outcome::Hurried, None)
        } else {
            let client = self.platform.legacy().client(migration);
            let answer = ask(client, call_options(patience, cx.peer())).await;
            let outcome = match Outcome::of(&answer) {
                Outcome::Failed if is_hurried => Outcome::Hurried,
                outcome => outcome,
            };
            (outcome, Some(answer))
        };
        if let (Outcome::Failed, Some(Err(error))) = (outcome, &answer) {
            self.platform.legacy().complain(&reason(error));
        }
        let now_ms = self.now_ms();
        reachability.note(outcome, now_ms);
        self.meter.note(|usage| {
            usage.legacy = Some(outcome);
            usage.legacy_ms += now_ms.saturating_sub(started_at_ms);
        });
        (outcome, answer)
    }
}

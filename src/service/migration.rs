//! What the registry does not know is asked of the old server, and what registers here registers there as well.

use connect::{CallOptions, Code, Context, Error, Response};

use super::{Discovery, Platform, lease};
use crate::meter::AnsweredBy;
use crate::migration::{
    LEGACY, Legacy, Migration, Outcome, Registration, SOURCE, call_options, is_forwarded,
};
use crate::protos::coral::discovery::v1::DiscoveryServiceClient;
use crate::protos::coral::registry::v1::{Granted, LeaseKey, LeaseKind};

/// A client of the old server.
pub(super) type LegacyClient<P> =
    DiscoveryServiceClient<<<P as Platform>::Legacy as Legacy>::Transport>;

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
        let client = self.platform.legacy().client(&migration.url);
        let now_ms = self.now_ms();
        let options = call_options(migration, cx.peer(), cx.deadline(), now_ms)
            .filter(|_| self.isolate.legacy.is_asked(now_ms));
        let answer = match options {
            Some(options) => Some(ask(client, options).await),
            None => None,
        };
        match (self.note_legacy(answer.as_ref(), now_ms), answer) {
            (Outcome::Done, Some(Ok(found))) => {
                let answered_by = Some(AnsweredBy::Legacy);
                self.meter.note(|usage| usage.answered_by = answered_by);
                let mut answer = Response::from(found.message);
                answer.headers.insert(SOURCE, LEGACY);
                Ok(answer)
            }
            (Outcome::NotFound, _) => Err(error),
            (_, answer) => {
                let cause = answer.and_then(Result::err).map(why).unwrap_or_default();
                Err(lease::try_again(format!(
                    "{} here, and the old server does not answer now",
                    error.message()
                ))
                .with_cause(cause))
            }
        }
    }

    /// Registers at the old server what was registered here.
    ///
    /// # Errors
    /// `already_exists` where that server is waited for and another key holds it there: what was new here is then taken back.
    pub(super) async fn register_at_legacy(
        &self,
        cx: &Context,
        registration: Registration,
        granted: &Granted,
    ) -> Result<(), Error> {
        let Some(migration) = self.migration(cx) else {
            return Ok(());
        };
        let legacy = self.platform.legacy();
        if !migration.is_awaited {
            legacy.register_later(registration, cx.peer());
            return Ok(());
        }
        let now_ms = self.now_ms();
        let answer = match call_options(migration, cx.peer(), cx.deadline(), now_ms) {
            Some(options) => {
                let client = legacy.client(&migration.url);
                Some(registration.send(&client, options).await)
            }
            None => None,
        };
        if self.note_legacy(answer.as_ref(), now_ms) != Outcome::SplitBrain {
            return Ok(());
        }
        let (key, owner) = lease_of(registration);
        let id = key.id.clone();
        if granted.is_new {
            self.release_lease(key, owner).await?;
        }
        Err(Error::already_exists(format!(
            "'{id}' already registered with different public key at the server that this one replaces \
             (already registered with different pubkey): this may be a split brain, wait until the lease \
             lapses or use another id"
        )))
    }

    fn note_legacy<M>(&self, answer: Option<&Result<M, Error>>, started_at_ms: i64) -> Outcome {
        let outcome = answer.map_or(Outcome::Skipped, Outcome::of);
        let now_ms = self.now_ms();
        self.isolate.legacy.note(outcome, now_ms);
        self.meter.note(|usage| {
            usage.legacy = Some(outcome);
            usage.legacy_ms = now_ms.saturating_sub(started_at_ms);
        });
        outcome
    }
}

/// The lease that is registered, and its owner.
fn lease_of(registration: Registration) -> (LeaseKey, String) {
    match registration {
        Registration::Colony(colony) => {
            let key = lease::key(LeaseKind::Colony, colony.mesh_id, String::new());
            (key, colony.pubkey)
        }
        Registration::Agent(agent) => {
            let key = lease::key(LeaseKind::Agent, agent.agent_id, agent.mesh_id);
            (key, agent.pubkey)
        }
    }
}

/// For the log.
fn why(error: Error) -> String {
    format!("{error} {}", error.cause().unwrap_or_default())
}

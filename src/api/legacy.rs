//! The legacy server, as the handlers use it: lookups that the registry does not know go there, and
//! registrations are mirrored there.

use std::net::IpAddr;
use std::rc::Rc;

use connect::{CallOptions, Code, Context, Error, Response, UnixMillis};
use prost::Message as _;

use super::Discovery;
use crate::domain::lease_key;
use crate::migration::{
    self, LegacyOutcome, MigrationSettings, Registration, call_options, failure_reason, timeout_for,
};
use crate::ports::{Host, Runtime as _};
use crate::proto::discovery::{
    DiscoveryServiceClient, LookupColonyRequest, LookupColonyResponse, RegisterColonyRequest,
};
use crate::state::AppState;
use crate::telemetry::{DataPoint, LegacyWriteEntry, Log, LookupSource};

/// A client of the legacy server.
pub(super) type LegacyClient<H> = DiscoveryServiceClient<<H as Host>::LegacyTransport>;

/// A call to the legacy server: its outcome, and the response if the call was made.
type LegacyCall<M> = (LegacyOutcome, Option<Result<Response<M>, Error>>);

/// Checks that a response matches the request: another server at that address may respond `200 OK`
/// too.
pub(super) fn ensure_matches<M>(
    matches: bool,
    response: Response<M>,
) -> Result<Response<M>, Error> {
    if matches {
        Ok(response)
    } else {
        Err(Error::unknown("the response is to something else"))
    }
}

/// Looks up a colony at the legacy server.
pub(super) async fn find_colony<H: Host>(
    legacy: LegacyClient<H>,
    request: &LookupColonyRequest,
    options: CallOptions,
) -> Result<Response<LookupColonyResponse>, Error> {
    let found = legacy.lookup_colony(request, options).await?;
    let matches = found.message.mesh_id == request.mesh_id;
    ensure_matches(matches && !found.message.pubkey.is_empty(), found)
}

impl<H: Host> Discovery<H> {
    /// Returns the settings of the migration, unless there is none or another server forwarded the
    /// call.
    pub(super) fn migration(&self) -> Option<&MigrationSettings> {
        let settings = self.state.config.migration.as_ref();
        settings.filter(|_| !self.client.is_forwarded)
    }

    /// Looks up at the legacy server an id for which the registry returned `error`.
    ///
    /// # Errors
    /// `error` if there is no legacy server, or if it does not know the id; `unavailable` if it
    /// does not respond. As that text says `not found` too, clients that wait for a colony go on
    /// waiting.
    pub(super) async fn lookup_in_legacy<M>(
        &self,
        cx: &Context,
        error: Error,
        lookup: impl AsyncFnOnce(LegacyClient<H>, CallOptions) -> Result<Response<M>, Error>,
    ) -> Result<Response<M>, Error> {
        let Some(settings) = self.migration() else {
            return Err(error);
        };
        if error.code() != Code::NotFound {
            return Err(error);
        }
        match self.call_legacy(cx, settings, lookup).await {
            (_, Some(Ok(found))) => {
                self.usage.set_lookup_source(LookupSource::Legacy);
                let response = Response::from(found.message);
                Ok(response.with_header(migration::SOURCE, migration::SOURCE_LEGACY))
            }
            (LegacyOutcome::NotFound, _) => Err(error),
            _ => Err(unavailable_with_retry(format!(
                "{} here, and the legacy server is not responding",
                error.message()
            ))),
        }
    }

    /// Checks, where registrations wait for the legacy server, that a colony which does not hold
    /// its id here does not take it while another key holds it there. Forwarded calls are checked
    /// too, as any client can send that header.
    ///
    /// # Errors
    /// `already_exists` if another key holds the id; `unavailable` where the caller's deadline is
    /// too short to find out.
    pub(super) async fn check_legacy_owner(
        &self,
        cx: &Context,
        colony: &RegisterColonyRequest,
    ) -> Result<(), Error> {
        let settings = self.state.config.migration.as_ref();
        let Some(settings) = settings.filter(|settings| settings.synchronous_writes) else {
            return Ok(());
        };
        let key = lease_key::colony(&colony.mesh_id);
        if let Some(record) = self.record(key).await? {
            let held = LookupColonyResponse::decode(record.as_slice()).unwrap_or_default();
            if held.pubkey == colony.pubkey {
                return Ok(());
            }
        }
        let request = LookupColonyRequest {
            mesh_id: colony.mesh_id.clone(),
        };
        let lookup = async |legacy, options| find_colony::<H>(legacy, &request, options).await;
        match self.call_legacy(cx, settings, lookup).await {
            (_, Some(Ok(found))) if found.message.pubkey != colony.pubkey => {
                self.usage
                    .update(|usage| usage.legacy = Some(LegacyOutcome::SplitBrain));
                Err(Error::already_exists(format!(
                    "colony '{}' already registered with different public key at the legacy server \
                     (already registered with different pubkey): this may be a split brain, wait \
                     until the lease expires or use another id",
                    colony.mesh_id
                )))
            }
            (LegacyOutcome::DeadlineTooShort, _) => Err(unavailable_with_retry(
                "the deadline is too short to ask the legacy server: allow for more time",
            )),
            _ => Ok(()),
        }
    }

    /// Registers at the legacy server what was registered here. A failure changes no response.
    pub(super) async fn mirror_registration(&self, cx: &Context, registration: Registration) {
        let Some(settings) = self.migration() else {
            return;
        };
        if settings.synchronous_writes && !self.state.legacy.is_open(self.now()) {
            let send = async |client, options| {
                let sent = registration.send(&client, options).await;
                sent.map(Response::from)
            };
            let (outcome, _) = self.call_legacy(cx, settings, send).await;
            if !outcome.is_unreachable() {
                return;
            }
        }
        let mirror = Mirror {
            state: Rc::clone(&self.state),
            runtime: self.host.runtime().clone(),
            client: migration::client(settings, self.host.legacy_transport().clone()),
            settings: settings.clone(),
        };
        let address = self.client.address;
        let task = async move { mirror.run(registration, address).await };
        self.host.runtime().spawn(task);
    }

    /// Calls the legacy server, unless its circuit is open or no time is left for it.
    async fn call_legacy<M>(
        &self,
        cx: &Context,
        settings: &MigrationSettings,
        call: impl AsyncFnOnce(LegacyClient<H>, CallOptions) -> Result<Response<M>, Error>,
    ) -> LegacyCall<M> {
        let started_at = self.now();
        let timeout = timeout_for(settings, cx.deadline(), started_at);
        let deadline_is_short = timeout < settings.timeout;
        let circuit_breaker = &self.state.legacy;
        let is_allowed = if deadline_is_short {
            circuit_breaker.allow_short_request()
        } else {
            circuit_breaker.allow_request(started_at)
        };
        let (outcome, response) = if !is_allowed {
            (LegacyOutcome::CircuitOpen, None)
        } else if timeout.is_zero() {
            (LegacyOutcome::DeadlineTooShort, None)
        } else {
            let client = migration::client(settings, self.host.legacy_transport().clone());
            let response = call(client, call_options(timeout, self.client.address)).await;
            let outcome = match LegacyOutcome::of(&response) {
                LegacyOutcome::Failed if deadline_is_short => LegacyOutcome::DeadlineTooShort,
                outcome => outcome,
            };
            (outcome, Some(response))
        };
        let now = self.now();
        if let (LegacyOutcome::Failed, Some(Err(error))) = (outcome, &response) {
            log_failure(&self.state.log, error, now);
        }
        circuit_breaker.record(outcome, now);
        self.usage.update(|usage| {
            usage.legacy = Some(outcome);
            usage.legacy_ms += now.millis_since(started_at);
        });
        (outcome, response)
    }
}

/// A background task that registers at the legacy server what was registered here.
struct Mirror<R, T> {
    state: Rc<AppState>,
    runtime: R,
    client: DiscoveryServiceClient<T>,
    settings: MigrationSettings,
}

impl<R: crate::ports::Runtime, T: connect::Transport> Mirror<R, T> {
    async fn run(self, registration: Registration, address: Option<IpAddr>) {
        let AppState { legacy, log, .. } = &*self.state;
        let started_at = self.runtime.now();
        let (outcome, error) = match legacy.try_acquire() {
            None => (LegacyOutcome::CircuitOpen, None),
            Some(_permit) => {
                let options = call_options(self.settings.timeout, address);
                let may_retry = || !legacy.is_open(self.runtime.now());
                let response = registration
                    .send_with_retry(&self.client, options, &self.runtime, may_retry)
                    .await;
                (LegacyOutcome::of(&response), response.err())
            }
        };
        let now = self.runtime.now();
        legacy.record(outcome, now);
        let duration_ms = now.millis_since(started_at);
        let entry = LegacyWriteEntry::new(&registration, outcome, duration_ms);
        match (outcome, &error) {
            (LegacyOutcome::Failed, Some(error)) => log_failure(log, error, now),
            // Each split brain is logged. Other failures may repeat with each heartbeat.
            (LegacyOutcome::Ok | LegacyOutcome::SplitBrain, _) => entry.write(log),
            _ => {
                if log.should_warn("legacy writes are rejected", now) {
                    entry.write(log);
                }
            }
        }
        if log.collects_metrics() {
            log.record(&DataPoint::of_legacy_write(&entry, &self.state.version_id));
        }
    }
}

/// Logs the reason of a failed call, at most once a minute, as it may repeat with each call.
fn log_failure(log: &Log, error: &Error, now: UnixMillis) {
    const MESSAGE: &str = "the legacy server, LEGACY_DISCOVERY_URL, is not responding";
    log.warn(MESSAGE, &failure_reason(error), now);
}

/// Returns the error of a call that may succeed in a moment.
fn unavailable_with_retry(text: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::unavailable(text).with_retry_after(std::time::Duration::from_secs(1))
}

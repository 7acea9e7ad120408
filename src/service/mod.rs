//! The public service: one file for each group of RPCs, with nothing of HTTP in it.

mod admin;
mod agent;
#[cfg(test)]
mod cache_model;
mod colony;
mod health;
mod lease;
mod migration;
mod relay;
mod rendezvous;
#[cfg(test)]
mod tests;
mod token;
mod validate;

use std::rc::Rc;

use connect::{Context, Error, Host, Response};

pub use self::admin::Admin;
use crate::cache::Kv;
use crate::isolate::Isolate;
use crate::meter::Meter;
use crate::migration::Legacy;
use crate::protos::coral::discovery::v1::{
    AckBootstrapRendezvousRequest, AckBootstrapRendezvousResponse, CreateBootstrapTokenRequest,
    CreateBootstrapTokenResponse, DiscoveryService, HealthRequest, HealthResponse,
    LookupAgentRequest, LookupAgentResponse, LookupColonyRequest, LookupColonyResponse,
    PollBootstrapRendezvousRequest, PollBootstrapRendezvousResponse,
    PublishBootstrapRendezvousRequest, PublishBootstrapRendezvousResponse, RegisterAgentRequest,
    RegisterAgentResponse, RegisterColonyRequest, RegisterColonyResponse, ReleaseRelayRequest,
    ReleaseRelayResponse, RequestRelayRequest, RequestRelayResponse,
};
use crate::rate_limit::{self, Limit, Limiter};
use crate::registry::client::{Mailboxes, Objects};
use crate::registry::reports::Reports;

/// What the handlers need of where they run.
pub trait Platform {
    /// Where leases are kept.
    type Objects: Objects;
    /// Where copies of them are kept.
    type Kv: Kv;
    /// Where messages are waited for.
    type Mailboxes: Mailboxes;
    /// What reports to objects later.
    type Reports: Reports;
    /// The server that clients move from.
    type Legacy: Legacy;
    /// What counts calls.
    type Limiter: Limiter;
    /// The clock and the timer.
    type Host: Host;

    /// Where leases are kept.
    fn objects(&self) -> &Self::Objects;
    /// Where copies of them are kept.
    fn kv(&self) -> &Self::Kv;
    /// Where messages are waited for.
    fn mailboxes(&self) -> &Self::Mailboxes;
    /// What reports to objects later.
    fn reports(&self) -> &Self::Reports;
    /// The server that clients move from.
    fn legacy(&self) -> &Self::Legacy;
    /// What counts calls.
    fn limiter(&self) -> &Self::Limiter;
    /// The clock and the timer.
    fn host(&self) -> &Self::Host;
}

/// The handlers of one request.
#[derive(Debug)]
pub struct Discovery<P> {
    /// Where it runs.
    pub platform: P,
    /// What is remembered between requests.
    pub isolate: Rc<Isolate>,
    /// What is noted for the log.
    pub meter: Rc<Meter>,
}

impl<P: Platform> Discovery<P> {
    fn now_ms(&self) -> i64 {
        self.platform.host().now_ms()
    }

    /// Counts a call by the caller's address. A caller without one is not counted: only on a machine
    /// of one's own there can be any.
    async fn limit_client(&self, limit: Limit, cx: &Context) -> Result<(), Error> {
        match cx.peer() {
            Some(peer) => {
                let client = rate_limit::client_key(peer);
                rate_limit::check(self.platform.limiter(), limit, &client).await
            }
            None => Ok(()),
        }
    }
}

impl<P: Platform> DiscoveryService for Discovery<P> {
    async fn register_colony(
        &self,
        cx: &Context,
        request: RegisterColonyRequest,
    ) -> Result<Response<RegisterColonyResponse>, Error> {
        colony::register(self, cx, request)
            .await
            .map(Response::from)
    }

    async fn lookup_colony(
        &self,
        cx: &Context,
        request: LookupColonyRequest,
    ) -> Result<Response<LookupColonyResponse>, Error> {
        colony::lookup(self, cx, request).await
    }

    async fn register_agent(
        &self,
        cx: &Context,
        request: RegisterAgentRequest,
    ) -> Result<Response<RegisterAgentResponse>, Error> {
        agent::register(self, cx, request).await.map(Response::from)
    }

    async fn lookup_agent(
        &self,
        cx: &Context,
        request: LookupAgentRequest,
    ) -> Result<Response<LookupAgentResponse>, Error> {
        agent::lookup(self, cx, request).await
    }

    async fn request_relay(
        &self,
        cx: &Context,
        request: RequestRelayRequest,
    ) -> Result<Response<RequestRelayResponse>, Error> {
        relay::request(self, cx, request).await.map(Response::from)
    }

    async fn release_relay(
        &self,
        cx: &Context,
        request: ReleaseRelayRequest,
    ) -> Result<Response<ReleaseRelayResponse>, Error> {
        relay::release(self, cx, request).await.map(Response::from)
    }

    async fn health(
        &self,
        _: &Context,
        _: HealthRequest,
    ) -> Result<Response<HealthResponse>, Error> {
        Ok(health::report(self).await)
    }

    async fn create_bootstrap_token(
        &self,
        cx: &Context,
        request: CreateBootstrapTokenRequest,
    ) -> Result<Response<CreateBootstrapTokenResponse>, Error> {
        token::create(self, cx, request).await.map(Response::from)
    }

    async fn publish_bootstrap_rendezvous(
        &self,
        cx: &Context,
        request: PublishBootstrapRendezvousRequest,
    ) -> Result<Response<PublishBootstrapRendezvousResponse>, Error> {
        rendezvous::publish(self, cx, request)
            .await
            .map(Response::from)
    }

    async fn poll_bootstrap_rendezvous(
        &self,
        cx: &Context,
        request: PollBootstrapRendezvousRequest,
    ) -> Result<Response<PollBootstrapRendezvousResponse>, Error> {
        rendezvous::poll(self, cx, request)
            .await
            .map(Response::from)
    }

    async fn ack_bootstrap_rendezvous(
        &self,
        cx: &Context,
        request: AckBootstrapRendezvousRequest,
    ) -> Result<Response<AckBootstrapRendezvousResponse>, Error> {
        rendezvous::acknowledge(self, cx, request)
            .await
            .map(Response::from)
    }
}

/// Random bytes, from the runtime.
fn random() -> Result<[u8; 16], Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::internal("no randomness").with_cause(error))?;
    Ok(bytes)
}

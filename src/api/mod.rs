//! The handlers of the public and the admin service: one file for each group of RPCs, with nothing
//! of HTTP in it.

mod admin;
mod agent;
mod bootstrap_token;
#[cfg(test)]
mod cache_model;
mod colony;
mod health;
mod leases;
mod legacy;
mod rate_limits;
mod relay;
mod rendezvous;
#[cfg(test)]
mod tests;
mod validate;

use std::rc::Rc;

use connect::{Context, Error, Response, Runtime as _, UnixMillis};

pub use self::admin::Admin;
use crate::domain::client::ClientInfo;
use crate::ports::Host;
use crate::proto::discovery::{
    AckBootstrapRendezvousRequest, AckBootstrapRendezvousResponse, CreateBootstrapTokenRequest,
    CreateBootstrapTokenResponse, DiscoveryService, HealthRequest, HealthResponse,
    LookupAgentRequest, LookupAgentResponse, LookupColonyRequest, LookupColonyResponse,
    PollBootstrapRendezvousRequest, PollBootstrapRendezvousResponse,
    PublishBootstrapRendezvousRequest, PublishBootstrapRendezvousResponse, RegisterAgentRequest,
    RegisterAgentResponse, RegisterColonyRequest, RegisterColonyResponse, ReleaseRelayRequest,
    ReleaseRelayResponse, RequestRelayRequest, RequestRelayResponse,
};
use crate::state::AppState;
use crate::telemetry::RequestUsage;

/// The handlers of the public service, for one request.
#[derive(Debug)]
pub struct Discovery<H> {
    /// The ports.
    pub host: H,
    /// The state between requests.
    pub state: Rc<AppState>,
    /// The usage of the request.
    pub usage: Rc<RequestUsage>,
    /// The client of the request.
    pub client: Rc<ClientInfo>,
}

impl<H: Host> Discovery<H> {
    fn now(&self) -> UnixMillis {
        self.host.runtime().now()
    }
}

impl<H: Host> DiscoveryService for Discovery<H> {
    async fn register_colony(
        &self,
        cx: &Context,
        request: RegisterColonyRequest,
    ) -> Result<Response<RegisterColonyResponse>, Error> {
        let registered = colony::register(self, cx, request).await;
        registered.map(Response::from)
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
        let registered = agent::register(self, cx, request).await;
        registered.map(Response::from)
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
        _: &Context,
        request: RequestRelayRequest,
    ) -> Result<Response<RequestRelayResponse>, Error> {
        relay::request(self, request).await.map(Response::from)
    }

    async fn release_relay(
        &self,
        _: &Context,
        request: ReleaseRelayRequest,
    ) -> Result<Response<ReleaseRelayResponse>, Error> {
        relay::release(self, request).await.map(Response::from)
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
        _: &Context,
        request: CreateBootstrapTokenRequest,
    ) -> Result<Response<CreateBootstrapTokenResponse>, Error> {
        let token = bootstrap_token::create(self, request).await;
        token.map(Response::from)
    }

    async fn publish_bootstrap_rendezvous(
        &self,
        _: &Context,
        request: PublishBootstrapRendezvousRequest,
    ) -> Result<Response<PublishBootstrapRendezvousResponse>, Error> {
        let published = rendezvous::publish(self, request).await;
        published.map(Response::from)
    }

    async fn poll_bootstrap_rendezvous(
        &self,
        cx: &Context,
        request: PollBootstrapRendezvousRequest,
    ) -> Result<Response<PollBootstrapRendezvousResponse>, Error> {
        let records = rendezvous::poll(self, cx, request).await;
        records.map(Response::from)
    }

    async fn ack_bootstrap_rendezvous(
        &self,
        _: &Context,
        request: AckBootstrapRendezvousRequest,
    ) -> Result<Response<AckBootstrapRendezvousResponse>, Error> {
        let acknowledged = rendezvous::acknowledge(self, request).await;
        acknowledged.map(Response::from)
    }
}

/// Returns random bytes.
fn random() -> Result<[u8; 16], Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::internal("no randomness").with_cause(error))?;
    Ok(bytes)
}

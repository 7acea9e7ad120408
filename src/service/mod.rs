//! The public service: one file for each group of RPCs, with nothing of HTTP in it.

mod agent;
mod colony;
mod health;
mod lease;
mod relay;
#[cfg(test)]
mod tests;
mod validate;

use std::rc::Rc;

use connect::{Context, Error, Host, Response};

use crate::isolate::Isolate;
use crate::protos::coral::discovery::v1::{
    DiscoveryService, HealthRequest, HealthResponse, LookupAgentRequest, LookupAgentResponse,
    LookupColonyRequest, LookupColonyResponse, RegisterAgentRequest, RegisterAgentResponse,
    RegisterColonyRequest, RegisterColonyResponse, ReleaseRelayRequest, ReleaseRelayResponse,
    RequestRelayRequest, RequestRelayResponse,
};
use crate::registry::client::Objects;

/// The handlers of one request.
#[derive(Debug)]
pub struct Discovery<O, H> {
    /// Where leases are kept.
    pub objects: O,
    /// The clock and the timer.
    pub host: H,
    /// What is remembered between requests.
    pub isolate: Rc<Isolate>,
}

impl<O: Objects, H: Host> DiscoveryService for Discovery<O, H> {
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
        _: &Context,
        request: LookupColonyRequest,
    ) -> Result<Response<LookupColonyResponse>, Error> {
        colony::lookup(self, request).await.map(Response::from)
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
        _: &Context,
        request: LookupAgentRequest,
    ) -> Result<Response<LookupAgentResponse>, Error> {
        agent::lookup(self, request).await.map(Response::from)
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
        Ok(health::report(self).await.into())
    }
}

//! RegisterAgent and LookupAgent.

use connect::{Context, Error, Response};
use coral_registry::proto::RegisterRequest;
use prost::Message as _;

use super::leases::{expires_at, registered_at};
use super::legacy::{LegacyClient, ensure_matches};
use super::{Discovery, validate};
use crate::domain::rate_limit::Limit;
use crate::domain::{lease_key, observed_endpoint};
use crate::migration::Registration;
use crate::ports::Host;
use crate::proto::discovery::{
    Endpoint, LookupAgentRequest, LookupAgentResponse, NatHint, RegisterAgentRequest,
    RegisterAgentResponse,
};

const SUBJECT: &str = "agent";

pub(super) async fn register<H: Host>(
    service: &Discovery<H>,
    cx: &Context,
    request: RegisterAgentRequest,
) -> Result<RegisterAgentResponse, Error> {
    validate::agent(&request)?;
    let address = service.client.address;
    let observed = observed_endpoint::choose(request.observed_endpoint.as_ref(), address);
    let observed = reachable(&request.endpoints, observed)?;
    service.usage.set_mesh(&request.mesh_id);
    let key = lease_key::agent(&request.agent_id, &request.mesh_id);
    service
        .check_registration_limit(&key, &request.pubkey)
        .await?;
    let config = &service.state.config;
    let owner = request.pubkey.clone();
    let registration = service.migration().map(|_| {
        Registration::Agent(RegisterAgentRequest {
            observed_endpoint: observed.clone(),
            ..request.clone()
        })
    });
    let record = LookupAgentResponse {
        agent_id: request.agent_id,
        mesh_id: request.mesh_id,
        pubkey: request.pubkey,
        endpoints: request.endpoints,
        nat: NatHint::from_observation(observed.as_ref()).into(),
        observed_endpoints: observed.iter().cloned().collect(),
        metadata: request.metadata,
        last_seen: None,
    };
    let lease = RegisterRequest {
        key: None,
        owner,
        record: record.encode_to_vec(),
        ttl_ms: config.ttl_ms(),
        takeover: config.agent_takeover,
    };
    let granted = service.register_lease(SUBJECT, key, lease).await?;
    if let Some(registration) = registration {
        // Boxed: few calls need it, and all would grow by its size.
        Box::pin(service.mirror_registration(cx, registration)).await;
    }
    Ok(RegisterAgentResponse {
        success: true,
        ttl: config.ttl_seconds,
        expires_at: Some(expires_at(&granted)),
        observed_endpoint: observed,
        stun_servers: config.stun_servers.clone(),
    })
}

/// Checks that an agent can be reached. An observed endpoint without a port leads nowhere, and
/// colonies would try it all the same: beside static endpoints it is dropped, without any the
/// registration is refused.
fn reachable(endpoints: &[String], observed: Option<Endpoint>) -> Result<Option<Endpoint>, Error> {
    match observed {
        Some(observed) if observed.port != 0 => Ok(Some(observed)),
        _ if !endpoints.is_empty() => Ok(None),
        Some(_) => Err(Error::invalid_argument(
            "observed endpoint must have a valid port when no static endpoints are provided \
             (use STUN discovery, not HTTP headers)",
        )),
        None => Err(Error::invalid_argument(
            "at least one endpoint or observed endpoint is required",
        )),
    }
}

pub(super) async fn lookup<H: Host>(
    service: &Discovery<H>,
    cx: &Context,
    request: LookupAgentRequest,
) -> Result<Response<LookupAgentResponse>, Error> {
    validate::required("agent_id", &request.agent_id)?;
    validate::id("agent_id", &request.agent_id)?;
    validate::id("mesh_id", &request.mesh_id)?;
    service.usage.set_mesh(&request.mesh_id);
    service.check_client_limit(Limit::LookupByClient).await?;
    let key = lease_key::agent(&request.agent_id, &request.mesh_id);
    match service.lookup_lease(SUBJECT, key).await {
        Ok(lease) => {
            let mut agent = LookupAgentResponse::decode(lease.record.as_slice())
                .map_err(|error| Error::internal("the record cannot be read").with_cause(error))?;
            agent.last_seen = Some(registered_at(&lease));
            Ok(agent.into())
        }
        Err(error) => {
            let lookup = async |legacy: LegacyClient<H>, options| {
                let found = legacy.lookup_agent(&request, options).await?;
                let matches = found.message.agent_id == request.agent_id;
                ensure_matches(matches && !found.message.pubkey.is_empty(), found)
            };
            let mut response = Box::pin(service.lookup_in_legacy(cx, error, lookup)).await?;
            correct_legacy_agent(&mut response.message, request.mesh_id);
            Ok(response)
        }
    }
}

/// Corrects an agent of the Go server: that server does not know the agent's mesh and writes the
/// agent's id there, and it keeps endpoints without a port, which lead nowhere.
fn correct_legacy_agent(agent: &mut LookupAgentResponse, mesh_id: String) {
    if agent.mesh_id == agent.agent_id {
        agent.mesh_id = mesh_id;
    }
    agent
        .observed_endpoints
        .retain(|observed| observed.port != 0);
}

impl NatHint {
    /// Returns the hint of one observation: with an address there is a cone to try.
    pub(super) fn from_observation(observed: Option<&Endpoint>) -> Self {
        match observed {
            Some(_) => Self::NatCone,
            None => Self::NatUnknown,
        }
    }
}

//! RegisterAgent and LookupAgent.

use connect::{Context, Error, Response, wkt};
use prost::Message as _;

use super::migration::{LegacyClient, only_if};
use super::{Discovery, Platform, lease, validate};
use crate::migration::Registration;
use crate::observed_endpoint;
use crate::protos::coral::discovery::v1::{
    Endpoint, LookupAgentRequest, LookupAgentResponse, NatHint, RegisterAgentRequest,
    RegisterAgentResponse,
};
use crate::protos::coral::registry::v1::{LeaseKind, RegisterRequest};
use crate::rate_limit::Limit;

const SUBJECT: &str = "agent";

pub(super) async fn register<P: Platform>(
    service: &Discovery<P>,
    cx: &Context,
    request: RegisterAgentRequest,
) -> Result<RegisterAgentResponse, Error> {
    validate::agent(&request)?;
    let observed = observed_endpoint::choose(request.observed_endpoint.as_ref(), cx.peer());
    let observed = reachable(&request.endpoints, observed)?;
    service.meter.note_mesh(&request.mesh_id);
    let key = lease::key(
        LeaseKind::Agent,
        request.agent_id.clone(),
        request.mesh_id.clone(),
    );
    service
        .limit_registration(cx, &key, &request.pubkey)
        .await?;
    let config = &service.isolate.config;
    let owner = request.pubkey.clone();
    let registration = service.migration(cx).map(|_| {
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
        key: Some(key),
        owner,
        record: record.encode_to_vec(),
        ttl_ms: i64::from(config.ttl_seconds).saturating_mul(1_000),
        takeover: config.agent_takeover,
    };
    let granted = service.register_lease(SUBJECT, lease).await?;
    if let Some(registration) = registration {
        // Boxed: few calls need it, and all would be larger by its size.
        Box::pin(service.register_at_legacy(cx, registration)).await;
    }
    Ok(RegisterAgentResponse {
        success: true,
        ttl: config.ttl_seconds,
        expires_at: Some(granted.expires_at()),
        observed_endpoint: observed,
        stun_servers: config.stun_servers.clone(),
    })
}

/// An observed endpoint without a port leads nowhere, and colonies would try it all the same:
/// with static endpoints it is dropped, without any the registration is refused.
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

pub(super) async fn lookup<P: Platform>(
    service: &Discovery<P>,
    cx: &Context,
    request: LookupAgentRequest,
) -> Result<Response<LookupAgentResponse>, Error> {
    validate::required("agent_id", &request.agent_id)?;
    validate::id("agent_id", &request.agent_id)?;
    validate::id("mesh_id", &request.mesh_id)?;
    service.meter.note_mesh(&request.mesh_id);
    service.limit_client(Limit::LookupByClient, cx).await?;
    let key = lease::key(
        LeaseKind::Agent,
        request.agent_id.clone(),
        request.mesh_id.clone(),
    );
    match service.lookup_lease(SUBJECT, key).await {
        Ok(lease) => {
            let mut agent = LookupAgentResponse::decode(lease.record.as_slice())
                .map_err(|error| Error::internal("the record cannot be read").with_cause(error))?;
            agent.last_seen = Some(wkt::Timestamp::from_unix_ms(lease.registered_at_ms));
            Ok(agent.into())
        }
        Err(error) => {
            let ask = async |legacy: LegacyClient<P>, options| {
                let found = legacy.lookup_agent(&request, options).await?;
                let is_it = found.message.agent_id == request.agent_id;
                only_if(is_it && !found.message.pubkey.is_empty(), found)
            };
            let mut answer = Box::pin(service.ask_legacy(cx, error, ask)).await?;
            mend(&mut answer.message, request.mesh_id);
            Ok(answer)
        }
    }
}

/// What the Go server tells of an agent, as we would: it does not know of which mesh an agent is, and writes the agent's id
/// there; and it keeps endpoints without a port, which lead nowhere.
fn mend(agent: &mut LookupAgentResponse, mesh_id: String) {
    if agent.mesh_id == agent.agent_id {
        agent.mesh_id = mesh_id;
    }
    agent
        .observed_endpoints
        .retain(|observed| observed.port != 0);
}

impl NatHint {
    /// All that one observation tells: with an address there is a cone to try.
    pub(super) fn from_observation(observed: Option<&Endpoint>) -> Self {
        match observed {
            Some(_) => Self::NatCone,
            None => Self::NatUnknown,
        }
    }
}

//! RegisterColony and LookupColony.

use connect::{Context, Error, Response};
use coral_registry::proto::RegisterRequest;
use prost::Message as _;

use super::leases::{expires_at, registered_at};
use super::legacy::find_colony;
use super::{Discovery, validate};
use crate::domain::rate_limit::Limit;
use crate::domain::relays::{self, Relay};
use crate::domain::{lease_key, observed_endpoint};
use crate::migration::Registration;
use crate::ports::Host;
use crate::proto::discovery::{
    LookupColonyRequest, LookupColonyResponse, NatHint, RegisterColonyRequest,
    RegisterColonyResponse,
};

const SUBJECT: &str = "colony";

pub(super) async fn register<H: Host>(
    service: &Discovery<H>,
    cx: &Context,
    request: RegisterColonyRequest,
) -> Result<RegisterColonyResponse, Error> {
    validate::colony(&request)?;
    service.usage.set_mesh(&request.mesh_id);
    let key = lease_key::colony(&request.mesh_id);
    service
        .check_registration_limit(&key, &request.pubkey)
        .await?;
    let config = &service.state.config;
    if config.migration.is_some() {
        // Boxed, as the call after granting: few calls need them, and all would grow by their size.
        Box::pin(service.check_legacy_owner(cx, &request)).await?;
    }
    let address = service.client.address;
    let observed = observed_endpoint::choose(request.observed_endpoint.as_ref(), address);
    let owner = request.pubkey.clone();
    let registration = service.migration().map(|_| {
        Registration::Colony(RegisterColonyRequest {
            observed_endpoint: observed.clone(),
            ..request.clone()
        })
    });
    // The record is the response to a lookup, without the fields that only the lookup knows.
    let record = LookupColonyResponse {
        mesh_id: request.mesh_id,
        pubkey: request.pubkey,
        endpoints: request.endpoints,
        mesh_ipv4: request.mesh_ipv4,
        mesh_ipv6: request.mesh_ipv6,
        connect_port: request.connect_port,
        metadata: request.metadata,
        last_seen: None,
        nat: NatHint::from_observation(observed.as_ref()).into(),
        observed_endpoints: observed.iter().cloned().collect(),
        relays: Vec::new(),
        public_port: request.public_port,
        public_endpoint: request.public_endpoint,
    };
    let lease = RegisterRequest {
        key: None,
        owner,
        record: record.encode_to_vec(),
        ttl_ms: config.ttl_ms(),
        takeover: false,
    };
    let granted = service.register_lease(SUBJECT, key, lease).await?;
    if let Some(registration) = registration {
        Box::pin(service.mirror_registration(cx, registration)).await;
    }
    Ok(RegisterColonyResponse {
        success: true,
        ttl: config.ttl_seconds,
        expires_at: Some(expires_at(&granted)),
        observed_endpoint: observed,
        stun_servers: config.stun_servers.clone(),
    })
}

pub(super) async fn lookup<H: Host>(
    service: &Discovery<H>,
    cx: &Context,
    request: LookupColonyRequest,
) -> Result<Response<LookupColonyResponse>, Error> {
    validate::required("mesh_id", &request.mesh_id)?;
    validate::id("mesh_id", &request.mesh_id)?;
    service.usage.set_mesh(&request.mesh_id);
    service.check_client_limit(Limit::LookupByClient).await?;
    let key = lease_key::colony(&request.mesh_id);
    let mut response = match service.lookup_lease(SUBJECT, key).await {
        Ok(lease) => {
            let mut colony = LookupColonyResponse::decode(lease.record.as_slice())
                .map_err(|error| Error::internal("the record cannot be read").with_cause(error))?;
            colony.last_seen = Some(registered_at(&lease));
            Response::from(colony)
        }
        Err(error) => {
            let lookup = async |legacy, options| find_colony::<H>(legacy, &request, options).await;
            Box::pin(service.lookup_in_legacy(cx, error, lookup)).await?
        }
    };
    // Only configured relays: the Go server always returns one whose host does not exist.
    let relays = &service.state.config.relays;
    response.message.relays = if relays.is_empty() {
        Vec::new()
    } else {
        let location = &service.client.location;
        let preferred = relays::preferred(relays, &request.mesh_id, location);
        preferred.into_iter().map(Relay::option).collect()
    };
    Ok(response)
}

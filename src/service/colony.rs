//! RegisterColony and LookupColony.

use connect::{Context, Error, Response, wkt};
use prost::Message as _;

use super::migration::find_colony;
use super::{Discovery, Platform, lease, validate};
use crate::migration::Registration;
use crate::protos::coral::discovery::v1::{
    LookupColonyRequest, LookupColonyResponse, NatHint, RegisterColonyRequest,
    RegisterColonyResponse,
};
use crate::protos::coral::registry::v1::{LeaseKey, LeaseKind, RegisterRequest};
use crate::rate_limit::Limit;
use crate::relays::{self, Relay};
use crate::{caller, observed_endpoint, traps};

const SUBJECT: &str = "colony";

pub(super) async fn register<P: Platform>(
    service: &Discovery<P>,
    cx: &Context,
    request: RegisterColonyRequest,
) -> Result<RegisterColonyResponse, Error> {
    validate::colony(&request)?;
    service.meter.note_mesh(&request.mesh_id);
    service
        .limit_registration(cx, &key(request.mesh_id.clone()), &request.pubkey)
        .await?;
    let config = &service.isolate.config;
    if config.migration.is_some() {
        // Boxed, as the next ones are: few calls need them, and all would be larger by their size.
        Box::pin(service.ask_before_granting(cx, &request)).await?;
    }
    let observed = observed_endpoint::choose(request.observed_endpoint.as_ref(), cx.peer());
    let key = key(request.mesh_id.clone());
    let owner = request.pubkey.clone();
    let registration = service.migration(cx).map(|_| {
        Registration::Colony(RegisterColonyRequest {
            observed_endpoint: observed.clone(),
            ..request.clone()
        })
    });
    // What is stored is the answer to a lookup, but for what only the lookup knows.
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
        key: Some(key),
        owner,
        record: record.encode_to_vec(),
        ttl_ms: i64::from(config.ttl_seconds).saturating_mul(1_000),
        takeover: false,
    };
    let granted = service.register_lease(SUBJECT, lease).await?;
    if let Some(registration) = registration {
        Box::pin(service.register_at_legacy(cx, registration)).await;
    }
    Ok(RegisterColonyResponse {
        success: true,
        ttl: config.ttl_seconds,
        expires_at: Some(granted.expires_at()),
        observed_endpoint: observed,
        stun_servers: config.stun_servers.clone(),
    })
}

pub(super) async fn lookup<P: Platform>(
    service: &Discovery<P>,
    cx: &Context,
    request: LookupColonyRequest,
) -> Result<Response<LookupColonyResponse>, Error> {
    validate::required("mesh_id", &request.mesh_id)?;
    validate::id("mesh_id", &request.mesh_id)?;
    traps::at("trap", &request.mesh_id);
    service.meter.note_mesh(&request.mesh_id);
    service.limit_client(Limit::LookupByClient, cx).await?;
    let key = key(request.mesh_id.clone());
    let mut answer = match service.lookup_lease(SUBJECT, key).await {
        Ok(lease) => {
            let mut colony = LookupColonyResponse::decode(lease.record.as_slice())
                .map_err(|error| Error::internal("the record cannot be read").with_cause(error))?;
            colony.last_seen = Some(wkt::Timestamp::from_unix_ms(lease.registered_at_ms));
            Response::from(colony)
        }
        Err(error) => {
            let ask = async |legacy, options| find_colony::<P>(legacy, &request, options).await;
            Box::pin(service.ask_legacy(cx, error, ask)).await?
        }
    };
    traps::at("trap-later", &request.mesh_id);
    // The Go server tells everybody of one relay, whose host does not exist.
    let colony = &mut answer.message;
    colony.relays = Vec::new();
    let relays = &service.isolate.config.relays;
    if !relays.is_empty() {
        let location = caller::location(cx.headers());
        let preferred = relays::preferred(relays, &request.mesh_id, &location);
        colony.relays = preferred.into_iter().map(Relay::option).collect();
    }
    Ok(answer)
}

fn key(mesh_id: String) -> LeaseKey {
    lease::key(LeaseKind::Colony, mesh_id, String::new())
}

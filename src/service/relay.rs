//! RequestRelay and ReleaseRelay.

use connect::{Context, Error};
use ulid::Ulid;

use super::{Discovery, Platform, lease, random, validate};
use crate::caller;
use crate::protos::coral::discovery::v1::{
    ReleaseRelayRequest, ReleaseRelayResponse, RequestRelayRequest, RequestRelayResponse,
};
use crate::protos::coral::registry::v1::{LeaseKind, RegisterRequest};
use crate::rate_limit::Limit;
use crate::relays;

/// How long a session lasts, as at the Go server: 30 minutes.
const SESSION_MS: i64 = 30 * 60 * 1_000;

pub(super) async fn request<P: Platform>(
    service: &Discovery<P>,
    cx: &Context,
    request: RequestRelayRequest,
) -> Result<RequestRelayResponse, Error> {
    validate::required("mesh_id", &request.mesh_id)?;
    validate::required("agent_pubkey", &request.agent_pubkey)?;
    validate::required("colony_pubkey", &request.colony_pubkey)?;
    validate::id("mesh_id", &request.mesh_id)?;
    validate::key("agent_pubkey", &request.agent_pubkey)?;
    validate::key("colony_pubkey", &request.colony_pubkey)?;
    service.meter.note_mesh(&request.mesh_id);
    let location = caller::location(cx.headers());
    let relays = &service.isolate.config.relays;
    let preferred = relays::preferred(relays, &request.mesh_id, &location);
    let Some(relay) = preferred.first() else {
        return Err(Error::unimplemented(
            "relay not supported: unimplemented, as no relay is configured",
        ));
    };
    service.limit_client(Limit::RegisterByClient, cx).await?;
    let session_id = session_id(service.now_ms())?;
    let session = RegisterRequest {
        key: Some(lease::key(
            LeaseKind::RelaySession,
            session_id.clone(),
            String::new(),
        )),
        owner: request.agent_pubkey,
        record: Vec::new(),
        ttl_ms: SESSION_MS,
        takeover: false,
    };
    let granted = service.register_lease("relay session", session).await?;
    Ok(RequestRelayResponse {
        relay_endpoint: Some(relay.endpoint()),
        session_id,
        expires_at: Some(granted.expires_at()),
        relay_id: relay.id.clone(),
    })
}

pub(super) async fn release<P: Platform>(
    service: &Discovery<P>,
    cx: &Context,
    request: ReleaseRelayRequest,
) -> Result<ReleaseRelayResponse, Error> {
    validate::required("session_id", &request.session_id)?;
    validate::id("session_id", &request.session_id)?;
    service.limit_client(Limit::RegisterByClient, cx).await?;
    let session_id = request.session_id;
    let key = lease::key(LeaseKind::RelaySession, session_id.clone(), String::new());
    if service.release_lease(key).await? {
        return Ok(ReleaseRelayResponse { success: true });
    }
    Err(Error::not_found(format!(
        "relay session not found: {session_id}"
    )))
}

/// Who knows it may end the session, so it must not be guessable: 80 random bits.
fn session_id(now_ms: i64) -> Result<String, Error> {
    let random = u128::from_be_bytes(random()?);
    let now_ms = u64::try_from(now_ms).unwrap_or(0);
    Ok(format!("relay-{}", Ulid::from_parts(now_ms, random)))
}

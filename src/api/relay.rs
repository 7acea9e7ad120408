//! RequestRelay and ReleaseRelay.

use connect::{Error, UnixMillis};
use coral_registry::proto::RegisterRequest;
use ulid::Ulid;

use super::leases::expires_at;
use super::{Discovery, random, validate};
use crate::domain::rate_limit::Limit;
use crate::domain::{lease_key, relays};
use crate::ports::{Host, Registry as _};
use crate::proto::discovery::{
    ReleaseRelayRequest, ReleaseRelayResponse, RequestRelayRequest, RequestRelayResponse,
};

/// The lifetime of a session, as at the Go server: 30 minutes.
const SESSION_MS: i64 = 30 * 60 * 1_000;

pub(super) async fn request<H: Host>(
    service: &Discovery<H>,
    request: RequestRelayRequest,
) -> Result<RequestRelayResponse, Error> {
    validate::required("mesh_id", &request.mesh_id)?;
    validate::required("agent_pubkey", &request.agent_pubkey)?;
    validate::required("colony_pubkey", &request.colony_pubkey)?;
    validate::id("mesh_id", &request.mesh_id)?;
    validate::key("agent_pubkey", &request.agent_pubkey)?;
    validate::key("colony_pubkey", &request.colony_pubkey)?;
    service.usage.set_mesh(&request.mesh_id);
    let relays = &service.state.config.relays;
    let preferred = relays::preferred(relays, &request.mesh_id, &service.client.location);
    let Some(relay) = preferred.first() else {
        return Err(Error::unimplemented(
            "relay not supported: unimplemented, as no relay is configured",
        ));
    };
    service.check_client_limit(Limit::RegisterByClient).await?;
    let session_id = session_id(service.now())?;
    let session = RegisterRequest {
        key: None,
        owner: request.agent_pubkey,
        record: Vec::new(),
        ttl_ms: SESSION_MS,
        takeover: false,
    };
    let key = lease_key::relay_session(&session_id);
    let granted = service
        .register_lease("relay session", key, session)
        .await?;
    Ok(RequestRelayResponse {
        relay_endpoint: Some(relay.endpoint()),
        session_id,
        expires_at: Some(expires_at(&granted)),
        relay_id: relay.id.clone(),
    })
}

pub(super) async fn release<H: Host>(
    service: &Discovery<H>,
    request: ReleaseRelayRequest,
) -> Result<ReleaseRelayResponse, Error> {
    validate::required("session_id", &request.session_id)?;
    validate::id("session_id", &request.session_id)?;
    service.check_client_limit(Limit::RegisterByClient).await?;
    let session_id = request.session_id;
    let key = lease_key::relay_session(&session_id);
    if service.host.registry().release(key).await? {
        return Ok(ReleaseRelayResponse { success: true });
    }
    Err(Error::not_found(format!(
        "relay session not found: {session_id}"
    )))
}

/// Returns a session id with 80 random bits. It must not be guessable: any caller that knows it may
/// end the session.
fn session_id(now: UnixMillis) -> Result<String, Error> {
    let random = u128::from_be_bytes(random()?);
    let now_ms = u64::try_from(now.as_millis()).unwrap_or(0);
    Ok(format!("relay-{}", Ulid::from_parts(now_ms, random)))
}

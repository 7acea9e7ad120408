//! CreateBootstrapToken (RFD 049).

use std::time::Duration;

use connect::{CallOptions, Context, Error};

use super::lease::hide;
use super::{Discovery, Platform, random, validate};
use crate::addressing::{client_object, mesh_object};
use crate::protos::coral::discovery::v1::{
    CreateBootstrapTokenRequest, CreateBootstrapTokenResponse,
};
use crate::protos::coral::registry::v1::{Quota, SpendRequest};
use crate::rate_limit::{self, Limit};
use crate::registry::client::Objects as _;
use crate::tokens::Ticket;

/// The only intent that is signed. A colony lets a ticket of intent `renew` in without the secret of its mesh, and nobody
/// who asks here has shown that there is anything to renew; agents renew without a ticket.
const REGISTER: &str = "register";

pub(super) async fn create<P: Platform>(
    service: &Discovery<P>,
    cx: &Context,
    request: CreateBootstrapTokenRequest,
) -> Result<CreateBootstrapTokenResponse, Error> {
    validate::required("agent_id", &request.agent_id)?;
    validate::required("colony_id", &request.colony_id)?;
    validate::id("agent_id", &request.agent_id)?;
    validate::id("colony_id", &request.colony_id)?;
    validate::id("reef_id", &request.reef_id)?;
    if !request.intent.is_empty() && request.intent != REGISTER {
        return Err(Error::permission_denied(format!(
            "intent must be `{REGISTER}`: no other ticket is issued"
        )));
    }
    service.meter.note_mesh(&request.colony_id);
    let Some(signer) = &service.isolate.config.signer else {
        return Err(Error::failed_precondition(
            "no tickets are issued here: DISCOVERY_SIGNING_KEY is not set",
        ));
    };
    limit(service, cx, &request).await?;
    let ticket = Ticket {
        reef_id: request.reef_id,
        colony_id: request.colony_id,
        agent_id: request.agent_id,
        intent: REGISTER.to_owned(),
    };
    let (jwt, expires_at) = signer.sign(&ticket, service.now_ms(), random()?)?;
    Ok(CreateBootstrapTokenResponse { jwt, expires_at })
}

/// Counts a ticket by the caller's address first, so that ids which are made up reach few objects, and then by agent and
/// colony, in the colony's object. What is refused there does not count for the address, which others may share.
async fn limit<P: Platform>(
    service: &Discovery<P>,
    cx: &Context,
    request: &CreateBootstrapTokenRequest,
) -> Result<(), Error> {
    service.limit_client(Limit::RegisterByClient, cx).await?;
    let config = &service.isolate.config;
    let of_client = cx.peer().map(|peer| {
        let client = rate_limit::client_key(peer);
        let object = client_object(&client, config.shards);
        let quotas = [("from this address", config.tokens_by_client)];
        (object, quotas_of(client, quotas))
    });
    if let Some((object, quotas)) = &of_client {
        spend(service, object, quotas).await?;
    }
    let object = mesh_object(&request.colony_id, config.shards);
    let of_agent = format!("for the agent {}", request.agent_id);
    let quotas = [
        (of_agent.as_str(), config.tokens_by_agent),
        ("for this colony", config.tokens_by_colony),
    ];
    let spent = spend(
        service,
        &object,
        &quotas_of(request.colony_id.clone(), quotas),
    )
    .await;
    if spent.is_err()
        && let Some((object, mut quotas)) = of_client
    {
        quotas.gives_back = true;
        // What fails here leaves the address with one less.
        let _ = spend(service, &object, &quotas).await;
    }
    spent
}

/// Quotas, given as how many there are in an hour; 0 for any number.
fn quotas_of<const N: usize>(id: String, quotas: [(&str, u32); N]) -> SpendRequest {
    const HOUR_MS: i64 = 3_600_000;
    let limited = quotas.into_iter().filter(|(_, burst)| *burst > 0);
    let quotas = limited.map(|(name, burst)| Quota {
        name: name.to_owned(),
        burst,
        interval_ms: HOUR_MS / i64::from(burst),
    });
    SpendRequest {
        id,
        quotas: quotas.collect(),
        gives_back: false,
    }
}

/// Takes one of each quota.
///
/// # Errors
/// `resource_exhausted`, with when there is one to take.
async fn spend<P: Platform>(
    service: &Discovery<P>,
    object: &str,
    quotas: &SpendRequest,
) -> Result<(), Error> {
    if quotas.quotas.is_empty() {
        return Ok(());
    }
    let object = service.platform.objects().object(object);
    let answer = object.spend(quotas, CallOptions::default()).await;
    let answer = answer.map_err(hide)?.message;
    if answer.exhausted.is_empty() {
        return Ok(());
    }
    let wait_ms = u64::try_from(answer.retry_after_ms).unwrap_or(0);
    Err(
        Error::resource_exhausted(format!("too many tickets {}", answer.exhausted))
            .with_retry_after(Duration::from_millis(wait_ms)),
    )
}

//! CreateBootstrapToken (RFD 049).

use std::time::Duration;

use connect::Error;
use coral_registry::proto::Quota;

use super::{Discovery, random, validate};
use crate::domain::bootstrap_token::{INTENT_REGISTER, TokenSubject};
use crate::domain::rate_limit::{self, Limit};
use crate::ports::{Host, QuotaOwner, Registry as _};
use crate::proto::discovery::{CreateBootstrapTokenRequest, CreateBootstrapTokenResponse};

pub(super) async fn create<H: Host>(
    service: &Discovery<H>,
    request: CreateBootstrapTokenRequest,
) -> Result<CreateBootstrapTokenResponse, Error> {
    validate::required("agent_id", &request.agent_id)?;
    validate::required("colony_id", &request.colony_id)?;
    validate::id("agent_id", &request.agent_id)?;
    validate::id("colony_id", &request.colony_id)?;
    validate::id("reef_id", &request.reef_id)?;
    if !request.intent.is_empty() && request.intent != INTENT_REGISTER {
        return Err(Error::permission_denied(format!(
            "intent must be `{INTENT_REGISTER}`: no other bootstrap token is issued"
        )));
    }
    service.usage.set_mesh(&request.colony_id);
    let Some(signer) = &service.state.config.signer else {
        return Err(Error::failed_precondition(
            "bootstrap tokens are not issued: DISCOVERY_SIGNING_KEY is not set",
        ));
    };
    consume_quotas(service, &request).await?;
    let subject = TokenSubject {
        reef_id: request.reef_id,
        colony_id: request.colony_id,
        agent_id: request.agent_id,
        intent: INTENT_REGISTER,
    };
    let (jwt, expires_at) = signer.sign(&subject, service.now(), random()?)?;
    Ok(CreateBootstrapTokenResponse { jwt, expires_at })
}

/// Counts a token by the caller's address first, so that made-up ids reach few objects, and then by
/// agent and colony, in the colony's object. A token that is refused there is refunded to the
/// address, which others may share.
async fn consume_quotas<H: Host>(
    service: &Discovery<H>,
    request: &CreateBootstrapTokenRequest,
) -> Result<(), Error> {
    service.check_client_limit(Limit::RegisterByClient).await?;
    let config = &service.state.config;
    let client = service.client.address.map(rate_limit::client_key);
    let client_quotas = quotas_per_hour([("from this address", config.tokens_per_client)]);
    if let Some(client) = &client {
        consume(service, QuotaOwner::Client(client), &client_quotas).await?;
    }
    let of_agent = format!("for the agent {}", request.agent_id);
    let mesh_quotas = quotas_per_hour([
        (of_agent.as_str(), config.tokens_per_agent),
        ("for this colony", config.tokens_per_colony),
    ]);
    let consumed = consume(service, QuotaOwner::Mesh(&request.colony_id), &mesh_quotas).await;
    if consumed.is_err()
        && let Some(client) = &client
        && !client_quotas.is_empty()
    {
        // If this fails the address has one less.
        let owner = QuotaOwner::Client(client);
        let registry = service.host.registry();
        let _ = registry.refund_quotas(owner, &client_quotas).await;
    }
    consumed
}

/// Returns quotas, given as the units in an hour; 0 for any number.
fn quotas_per_hour<const N: usize>(quotas: [(&str, u32); N]) -> Vec<Quota> {
    const HOUR_MS: i64 = 3_600_000;
    let limited = quotas.into_iter().filter(|(_, burst)| *burst > 0);
    let quotas = limited.map(|(name, burst)| Quota {
        name: name.to_owned(),
        burst,
        interval_ms: HOUR_MS / i64::from(burst),
    });
    quotas.collect()
}

/// Consumes one unit of each quota.
///
/// # Errors
/// `resource_exhausted`, with the time to retry after.
async fn consume<H: Host>(
    service: &Discovery<H>,
    owner: QuotaOwner<'_>,
    quotas: &[Quota],
) -> Result<(), Error> {
    if quotas.is_empty() {
        return Ok(());
    }
    let response = service
        .host
        .registry()
        .consume_quotas(owner, quotas)
        .await?;
    if response.exhausted.is_empty() {
        return Ok(());
    }
    let wait_ms = u64::try_from(response.retry_after_ms).unwrap_or(0);
    let text = format!("too many bootstrap tokens {}", response.exhausted);
    Err(Error::resource_exhausted(text).with_retry_after(Duration::from_millis(wait_ms)))
}

//! PublishBootstrapRendezvous, PollBootstrapRendezvous and AckBootstrapRendezvous (RFD 108).

use std::time::Duration;

use connect::{Context, Error, UnixMillis};
use coral_registry::proto::publish_record_response::Refusal;
use coral_registry::proto::{
    AcknowledgeRecordRequest, MailboxRecord, PublishRecordRequest, Quota, RendezvousRecord,
};
use sha2::{Digest as _, Sha256};
use ulid::Ulid;

use super::{Discovery, random, validate};
use crate::domain::rate_limit::{Limit, poll_key};
use crate::limits;
use crate::ports::{Host, Registry as _};
use crate::proto::discovery::{
    AckBootstrapRendezvousRequest, AckBootstrapRendezvousResponse, BootstrapRendezvousRecord,
    PollBootstrapRendezvousRequest, PollBootstrapRendezvousResponse,
    PublishBootstrapRendezvousRequest, PublishBootstrapRendezvousResponse,
};

/// The time before a caller's deadline at which a poll returns without records: the caller would
/// see an error otherwise.
const RESPONSE_MARGIN: Duration = Duration::from_millis(500);

pub(super) async fn publish<H: Host>(
    service: &Discovery<H>,
    request: PublishBootstrapRendezvousRequest,
) -> Result<PublishBootstrapRendezvousResponse, Error> {
    validate::rendezvous_record(&request)?;
    if request.verify_reachability {
        return Err(Error::failed_precondition(
            "verify_reachability is not offered: this service makes no outgoing connections; \
             publish without it",
        ));
    }
    service.usage.set_mesh(&request.mesh_id);
    service.check_client_limit(Limit::RegisterByClient).await?;
    let replaces = !request.record_id.is_empty();
    let record_id = if replaces {
        request.record_id
    } else {
        let now_ms = u64::try_from(service.now().as_millis()).unwrap_or(0);
        Ulid::from_parts(now_ms, u128::from_be_bytes(random()?)).to_string()
    };
    let ttl_seconds = match request.ttl_seconds {
        0 => limits::RENDEZVOUS_TTL_SECONDS,
        seconds => seconds.min(limits::RENDEZVOUS_TTL_SECONDS),
    };
    let interval_ms = limits::RENDEZVOUS_INTERVAL.as_millis();
    let publish = PublishRecordRequest {
        mesh_id: request.mesh_id,
        record_id: record_id.clone(),
        replaces,
        token_hash: token_hash(&request.write_token),
        record: Some(RendezvousRecord {
            ciphertext: request.ciphertext,
            gcm_nonce: request.gcm_nonce,
        }),
        ttl_ms: i64::from(ttl_seconds).saturating_mul(1_000),
        quota: Some(Quota {
            name: "publish".to_owned(),
            burst: limits::RENDEZVOUS_BURST,
            interval_ms: i64::try_from(interval_ms).unwrap_or(i64::MAX),
        }),
    };
    let published = service.host.registry().publish_record(publish).await?;
    match published.refusal() {
        Refusal::Unspecified => Ok(PublishBootstrapRendezvousResponse {
            success: true,
            expires_at: Some(UnixMillis::from_millis(published.expires_at_ms).into()),
            probe_failed: false,
            record_id,
        }),
        // Clients then publish a new record.
        Refusal::Unknown => Ok(PublishBootstrapRendezvousResponse::default()),
        Refusal::Token => Err(Error::permission_denied(
            "write_token mismatch: the record was published with another token",
        )),
        Refusal::Quota => {
            let wait_ms = u64::try_from(published.retry_after_ms).unwrap_or(0);
            let text = "too many rendezvous records for this mesh: try again later";
            let wait = Duration::from_millis(wait_ms);
            Err(Error::resource_exhausted(text).with_retry_after(wait))
        }
    }
}

pub(super) async fn poll<H: Host>(
    service: &Discovery<H>,
    cx: &Context,
    request: PollBootstrapRendezvousRequest,
) -> Result<PollBootstrapRendezvousResponse, Error> {
    validate::required("mesh_id", &request.mesh_id)?;
    validate::id("mesh_id", &request.mesh_id)?;
    let Ok(wait_seconds) = u64::try_from(request.wait_seconds) else {
        return Err(Error::invalid_argument("wait_seconds must not be negative"));
    };
    service.usage.set_mesh(&request.mesh_id);
    service.check_client_limit(Limit::LookupByClient).await?;
    let key = poll_key(&request.mesh_id, service.client.address);
    service.check_limit(Limit::PollByMesh, &key).await?;
    let mut wait = Duration::from_secs(wait_seconds).min(limits::POLL_WAIT);
    if let Some(deadline) = cx.deadline() {
        let left = deadline.remaining(service.now());
        wait = wait.min(left.saturating_sub(RESPONSE_MARGIN));
    }
    let registry = service.host.registry();
    let records = registry.wait_for_records(&request.mesh_id, wait).await?;
    Ok(PollBootstrapRendezvousResponse {
        timed_out: records.is_empty(),
        records: records.into_iter().map(public_record).collect(),
    })
}

pub(super) async fn acknowledge<H: Host>(
    service: &Discovery<H>,
    request: AckBootstrapRendezvousRequest,
) -> Result<AckBootstrapRendezvousResponse, Error> {
    validate::required("mesh_id", &request.mesh_id)?;
    validate::required("record_id", &request.record_id)?;
    validate::id("mesh_id", &request.mesh_id)?;
    validate::id("record_id", &request.record_id)?;
    service.usage.set_mesh(&request.mesh_id);
    service.check_client_limit(Limit::RegisterByClient).await?;
    let acknowledge = AcknowledgeRecordRequest {
        mesh_id: request.mesh_id,
        record_id: request.record_id,
        token_hash: token_hash(&request.write_token),
    };
    let registry = service.host.registry();
    let success = registry.acknowledge_record(acknowledge).await?;
    Ok(AckBootstrapRendezvousResponse { success })
}

fn public_record(stored: MailboxRecord) -> BootstrapRendezvousRecord {
    let RendezvousRecord {
        ciphertext,
        gcm_nonce,
    } = stored.record.unwrap_or_default();
    BootstrapRendezvousRecord {
        record_id: stored.record_id,
        ciphertext,
        gcm_nonce,
        published_at: Some(UnixMillis::from_millis(stored.published_at_ms).into()),
    }
}

/// Returns the hash of a write token. Only the hash is stored, so that read access to the storage
/// does not suffice to replace records.
fn token_hash(token: &[u8]) -> String {
    format!("{:x}", Sha256::digest(token))
}

//! PublishBootstrapRendezvous, PollBootstrapRendezvous and AckBootstrapRendezvous (RFD 108).

use std::time::Duration;

use connect::{CallOptions, Context, Error, wkt};
use sha2::{Digest as _, Sha256};
use ulid::Ulid;

use super::lease::hide;
use super::{Discovery, Platform, random, validate};
use crate::addressing::mesh_object;
use crate::limits;
use crate::protos::coral::discovery::v1::{
    AckBootstrapRendezvousRequest, AckBootstrapRendezvousResponse, BootstrapRendezvousRecord,
    PollBootstrapRendezvousRequest, PollBootstrapRendezvousResponse,
    PublishBootstrapRendezvousRequest, PublishBootstrapRendezvousResponse,
};
use crate::protos::coral::registry::v1::publish_response::Refusal;
use crate::protos::coral::registry::v1::{
    AcknowledgeRequest, CollectResponse, Collected, Message, PublishRequest, Quota,
};
use crate::rate_limit::{self, Limit};
use crate::registry::client::{Mailboxes as _, Objects as _};

/// How long before a caller's deadline it is told that nothing came: it would see an error otherwise.
const ANSWERED_BEFORE: Duration = Duration::from_millis(500);

pub(super) async fn publish<P: Platform>(
    service: &Discovery<P>,
    cx: &Context,
    request: PublishBootstrapRendezvousRequest,
) -> Result<PublishBootstrapRendezvousResponse, Error> {
    validate::message(&request)?;
    if request.verify_reachability {
        return Err(Error::failed_precondition(
            "verify_reachability is not offered: this service connects to nobody; publish without it",
        ));
    }
    service.meter.note_mesh(&request.mesh_id);
    service.limit_client(Limit::RegisterByClient, cx).await?;
    let replaces = !request.record_id.is_empty();
    let record_id = if replaces {
        request.record_id
    } else {
        let now_ms = u64::try_from(service.now_ms()).unwrap_or(0);
        Ulid::from_parts(now_ms, u128::from_be_bytes(random()?)).to_string()
    };
    let ttl_seconds = match request.ttl_seconds {
        0 => limits::MESSAGE_TTL_SECONDS,
        seconds => seconds.min(limits::MESSAGE_TTL_SECONDS),
    };
    let object = mesh_object(&request.mesh_id, service.isolate.config.shards);
    let publish = PublishRequest {
        mesh_id: request.mesh_id,
        record_id: record_id.clone(),
        replaces,
        token_hash: hash(&request.write_token),
        message: Some(Message {
            ciphertext: request.ciphertext,
            gcm_nonce: request.gcm_nonce,
        }),
        ttl_ms: i64::from(ttl_seconds).saturating_mul(1_000),
        quota: Some(Quota {
            name: "publish".to_owned(),
            burst: limits::MESSAGES_BURST,
            interval_ms: limits::MESSAGES_INTERVAL_MS,
        }),
    };
    let object = service.platform.objects().object(&object);
    let answer = object.publish(&publish, CallOptions::default()).await;
    let answer = answer.map_err(hide)?.message;
    match answer.refusal() {
        Refusal::Unspecified => Ok(PublishBootstrapRendezvousResponse {
            success: true,
            expires_at: Some(wkt::Timestamp::from_unix_ms(answer.expires_at_ms)),
            probe_failed: false,
            record_id,
        }),
        // Clients leave a new message then.
        Refusal::Unknown => Ok(PublishBootstrapRendezvousResponse::default()),
        Refusal::Token => Err(Error::permission_denied(
            "write_token mismatch: the message was left with another token",
        )),
        Refusal::Quota => {
            let wait_ms = u64::try_from(answer.retry_after_ms).unwrap_or(0);
            Err(
                Error::resource_exhausted("too many messages for this mesh: try again later")
                    .with_retry_after(Duration::from_millis(wait_ms)),
            )
        }
    }
}

pub(super) async fn poll<P: Platform>(
    service: &Discovery<P>,
    cx: &Context,
    request: PollBootstrapRendezvousRequest,
) -> Result<PollBootstrapRendezvousResponse, Error> {
    validate::required("mesh_id", &request.mesh_id)?;
    validate::id("mesh_id", &request.mesh_id)?;
    let Ok(wait_seconds) = u64::try_from(request.wait_seconds) else {
        return Err(Error::invalid_argument("wait_seconds must not be negative"));
    };
    service.meter.note_mesh(&request.mesh_id);
    service.limit_client(Limit::LookupByClient, cx).await?;
    // For each caller by itself: others must not use up what the mesh's colony may ask.
    let client = cx.peer().map(rate_limit::client_key).unwrap_or_default();
    let polled = hash(format!("{client} {}", request.mesh_id).as_bytes());
    let limiter = service.platform.limiter();
    rate_limit::check(limiter, Limit::PollByMesh, &polled).await?;
    let mut wait = Duration::from_secs(wait_seconds).min(limits::POLL_WAIT);
    if let Some(deadline) = cx.deadline() {
        let left = deadline.remaining(service.now_ms());
        wait = wait.min(left.saturating_sub(ANSWERED_BEFORE));
    }
    let mailboxes = service.platform.mailboxes();
    let CollectResponse { messages } = mailboxes.wait(&request.mesh_id, wait).await?;
    Ok(PollBootstrapRendezvousResponse {
        timed_out: messages.is_empty(),
        records: messages.into_iter().map(record).collect(),
    })
}

pub(super) async fn acknowledge<P: Platform>(
    service: &Discovery<P>,
    cx: &Context,
    request: AckBootstrapRendezvousRequest,
) -> Result<AckBootstrapRendezvousResponse, Error> {
    validate::required("mesh_id", &request.mesh_id)?;
    validate::required("record_id", &request.record_id)?;
    validate::id("mesh_id", &request.mesh_id)?;
    validate::id("record_id", &request.record_id)?;
    service.meter.note_mesh(&request.mesh_id);
    service.limit_client(Limit::RegisterByClient, cx).await?;
    let object = mesh_object(&request.mesh_id, service.isolate.config.shards);
    let acknowledge = AcknowledgeRequest {
        mesh_id: request.mesh_id,
        record_id: request.record_id,
        token_hash: hash(&request.write_token),
    };
    let object = service.platform.objects().object(&object);
    let answer = object.acknowledge(&acknowledge, CallOptions::default());
    let success = answer.await.map_err(hide)?.message.gone;
    Ok(AckBootstrapRendezvousResponse { success })
}

fn record(collected: Collected) -> BootstrapRendezvousRecord {
    let Message {
        ciphertext,
        gcm_nonce,
    } = collected.message.unwrap_or_default();
    BootstrapRendezvousRecord {
        record_id: collected.record_id,
        ciphertext,
        gcm_nonce,
        published_at: Some(wkt::Timestamp::from_unix_ms(collected.published_at_ms)),
    }
}

/// All that is kept of a token: who reads the storage cannot replace messages.
fn hash(token: &[u8]) -> String {
    format!("{:x}", Sha256::digest(token))
}

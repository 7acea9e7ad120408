//! Messages that agents leave for a colony before they are let into its mesh (RFD 108), as leases: each lapses, and
//! belongs to whoever knows the token that it was left with.

use connect::{Error, Host};
use prost::Message as _;
use subtle::ConstantTimeEq as _;

use super::lease::{Holder, is_live};
use super::quota;
use super::service::Registry;
use super::store::{Kept, Store, StoredLease};
use crate::protos::coral::registry::v1::publish_response::Refusal;
use crate::protos::coral::registry::v1::{
    AcknowledgeRequest, CollectResponse, Collected, LeaseKey, LeaseKind, Message, PublishRequest,
    PublishResponse, Quota, SpendRequest, SpendResponse,
};

impl<S: Store, H: Host> Registry<S, H> {
    /// Leaves a message or replaces one, with nothing to wait for in between. What is refused leaves all messages as
    /// they are, but counts: whoever tries tokens is slowed down, too.
    pub(super) fn leave(
        &self,
        request: PublishRequest,
    ) -> Result<(PublishResponse, Option<i64>), Error> {
        let now_ms = self.host.now_ms();
        let (spent, alarm) = self.take_of(&SpendRequest {
            id: request.mesh_id.clone(),
            quotas: request.quota.into_iter().collect(),
        })?;
        if !spent.exhausted.is_empty() {
            let refused = PublishResponse {
                refusal: Refusal::Quota.into(),
                retry_after_ms: spent.retry_after_ms,
                ..Default::default()
            };
            return Ok((refused, None));
        }
        let key = message(&request.mesh_id, &request.record_id);
        // A new id is of the Worker's making, with 80 random bits in it: there is none yet.
        let refusal = if request.replaces {
            let holder = self.store.holder(&key)?;
            match holder.filter(|holder| is_live(holder.expires_at_ms, now_ms)) {
                None => Some(Refusal::Unknown),
                Some(holder) if !is_same(&holder.owner, &request.token_hash) => {
                    Some(Refusal::Token)
                }
                Some(_) => None,
            }
        } else {
            None
        };
        if let Some(refusal) = refusal {
            let refused = PublishResponse {
                refusal: refusal.into(),
                ..Default::default()
            };
            return Ok((refused, alarm));
        }
        let expires_at_ms = now_ms.saturating_add(request.ttl_ms);
        let record = request.message.unwrap_or_default().encode_to_vec();
        self.store.put(
            &key,
            &lease(request.token_hash, now_ms, expires_at_ms, record),
        )?;
        let alarm = earlier(alarm, self.alarm_for(expires_at_ms, now_ms));
        self.arrived.borrow_mut().push(request.mesh_id);
        let left = PublishResponse {
            expires_at_ms,
            ..Default::default()
        };
        Ok((left, alarm))
    }

    /// The live messages of a mesh, the oldest first.
    ///
    /// # Errors
    /// The storage's.
    pub fn messages(&self, mesh_id: &str) -> Result<CollectResponse, Error> {
        let now_ms = self.host.now_ms();
        let leases = self.store.leases(LeaseKind::Message, mesh_id)?;
        let live = leases
            .into_iter()
            .filter(|kept| is_live(kept.lease.holder.expires_at_ms, now_ms));
        let mut messages = live
            .map(|Kept { key, lease, .. }| {
                let message = Message::decode(lease.record.as_slice()).map_err(|error| {
                    Error::internal("the message cannot be read").with_cause(error)
                })?;
                Ok(Collected {
                    record_id: key.scope,
                    message: Some(message),
                    published_at_ms: lease.registered_at_ms,
                })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        messages.sort_by_key(|message| message.published_at_ms);
        Ok(CollectResponse { messages })
    }

    /// Removes a message, if the token is that of it. Whether it is gone.
    pub(super) fn remove(&self, request: &AcknowledgeRequest) -> Result<bool, Error> {
        let key = message(&request.mesh_id, &request.record_id);
        let holder = self.store.holder(&key)?;
        let now_ms = self.host.now_ms();
        let Some(holder) = holder.filter(|holder| is_live(holder.expires_at_ms, now_ms)) else {
            return Ok(true);
        };
        let may = is_same(&holder.owner, &request.token_hash);
        if may {
            self.store.delete(&key)?;
        }
        Ok(may)
    }

    /// Takes one of each quota, or of none.
    pub(super) fn take_of(
        &self,
        request: &SpendRequest,
    ) -> Result<(SpendResponse, Option<i64>), Error> {
        let now_ms = self.host.now_ms();
        let mut spent = Vec::new();
        for quota in &request.quotas {
            let key = quota_key(&request.id, quota);
            let full_at_ms = self.store.holder(&key)?.map(|holder| holder.expires_at_ms);
            match quota::spend(full_at_ms, quota, now_ms) {
                Ok(full_at_ms) => spent.push((key, full_at_ms)),
                Err(retry_after_ms) => {
                    let exhausted = SpendResponse {
                        exhausted: quota.name.clone(),
                        retry_after_ms,
                    };
                    return Ok((exhausted, None));
                }
            }
        }
        let mut alarm = None;
        for (key, full_at_ms) in spent {
            let written = lease(String::new(), now_ms, full_at_ms, Vec::new());
            self.store.put(&key, &written)?;
            alarm = earlier(alarm, self.alarm_for(full_at_ms, now_ms));
        }
        Ok((SpendResponse::default(), alarm))
    }
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

/// Without telling by the time it takes how much of it is right.
fn is_same(hash: &str, other: &str) -> bool {
    hash.as_bytes().ct_eq(other.as_bytes()).into()
}

fn message(mesh_id: &str, record_id: &str) -> LeaseKey {
    LeaseKey {
        kind: LeaseKind::Message.into(),
        id: mesh_id.to_owned(),
        scope: record_id.to_owned(),
    }
}

fn quota_key(id: &str, quota: &Quota) -> LeaseKey {
    LeaseKey {
        kind: LeaseKind::Quota.into(),
        id: id.to_owned(),
        scope: quota.name.clone(),
    }
}

fn lease(owner: String, now_ms: i64, expires_at_ms: i64, record: Vec<u8>) -> StoredLease {
    StoredLease {
        holder: Holder {
            owner,
            expires_at_ms,
            counted: false,
            cached_until_ms: 0,
            told_until_ms: 0,
        },
        registered_at_ms: now_ms,
        record,
    }
}

//! Mailboxes: rendezvous records that agents publish for a colony before they may join its mesh
//! (RFD 108). A record is stored as a lease: it expires, and its owner is the holder of
//! the write token that it was published with.

use connect::{Error, Runtime, UnixMillis};
use prost::Message as _;
use subtle::ConstantTimeEq as _;

use crate::alarm::earlier;
use crate::leases::ttl;
use crate::object::RegistryObject;
use crate::proto::publish_record_response::Refusal;
use crate::proto::{
    AcknowledgeRecordRequest, ConsumeQuotasRequest, LeaseKey, LeaseKind, MailboxRecord,
    MailboxRecords, PublishRecordRequest, PublishRecordResponse, RendezvousRecord,
};
use crate::storage::{Store, StoredEntry, StoredLease};

impl<S: Store, R: Runtime> RegistryObject<S, R> {
    /// Publishes or replaces a record, with nothing to wait for in between. Returns the response
    /// and the alarm that it needs.
    ///
    /// A refused call changes no record but consumes the quota, so that guessing tokens is slow.
    pub(crate) fn publish(
        &self,
        request: PublishRecordRequest,
    ) -> Result<(PublishRecordResponse, Option<UnixMillis>), Error> {
        let now = self.now();
        let (consumed, alarm) = self.consume(&ConsumeQuotasRequest {
            id: request.mesh_id.clone(),
            quotas: request.quota.into_iter().collect(),
            refund: false,
        })?;
        if !consumed.exhausted.is_empty() {
            let refused = PublishRecordResponse {
                refusal: Refusal::Quota.into(),
                retry_after_ms: consumed.retry_after_ms,
                ..Default::default()
            };
            return Ok((refused, None));
        }
        let key = record_key(&request.mesh_id, &request.record_id);
        // The service makes a new id with 80 random bits: no record of that id exists.
        if request.replaces
            && let Some(refusal) = self.refusal(&key, &request.token_hash, now)?
        {
            let refused = PublishRecordResponse {
                refusal: refusal.into(),
                ..Default::default()
            };
            return Ok((refused, alarm));
        }
        let expires_at = now + ttl(request.ttl_ms);
        let record = request.record.unwrap_or_default().encode_to_vec();
        let lease = StoredLease::new(request.token_hash, now, expires_at, record);
        self.store.put(&key, &lease)?;
        let alarm = earlier(alarm, self.alarm_for(expires_at, now));
        self.meshes_with_new_records
            .borrow_mut()
            .push(request.mesh_id);
        let published = PublishRecordResponse {
            expires_at_ms: expires_at.as_millis(),
            ..Default::default()
        };
        Ok((published, alarm))
    }

    /// Returns the reason, if any, to refuse replacing a record.
    fn refusal(
        &self,
        key: &LeaseKey,
        token_hash: &str,
        now: UnixMillis,
    ) -> Result<Option<Refusal>, Error> {
        let state = self.store.state(key)?;
        Ok(match state.filter(|state| state.is_live(now)) {
            None => Some(Refusal::Unknown),
            Some(state) if !is_same_token(&state.owner, token_hash) => Some(Refusal::Token),
            Some(_) => None,
        })
    }

    /// Returns the live records of a mesh's mailbox, the oldest first.
    ///
    /// # Errors
    /// `internal` when the storage fails.
    pub fn mailbox(&self, mesh_id: &str) -> Result<MailboxRecords, Error> {
        let live = self.live_entries(LeaseKind::RendezvousRecord, mesh_id)?;
        let mut records = live
            .into_iter()
            .map(|StoredEntry { key, lease, .. }| {
                let record = RendezvousRecord::decode(lease.record.as_slice());
                let record = record.map_err(|error| {
                    Error::internal("the record cannot be read").with_cause(error)
                })?;
                Ok(MailboxRecord {
                    record_id: key.scope,
                    record: Some(record),
                    published_at_ms: lease.registered_at.as_millis(),
                })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        records.sort_by_key(|record| record.published_at_ms);
        Ok(MailboxRecords { records })
    }

    /// Removes a record if the token is the one that it was published with. Returns whether the
    /// record no longer exists.
    pub(crate) fn acknowledge(&self, request: &AcknowledgeRecordRequest) -> Result<bool, Error> {
        let key = record_key(&request.mesh_id, &request.record_id);
        let state = self.store.state(&key)?;
        let Some(state) = state.filter(|state| state.is_live(self.now())) else {
            return Ok(true);
        };
        let is_owner = is_same_token(&state.owner, &request.token_hash);
        if is_owner {
            self.store.delete(&key)?;
        }
        Ok(is_owner)
    }
}

/// Compares two token hashes in constant time.
fn is_same_token(hash: &str, other: &str) -> bool {
    hash.as_bytes().ct_eq(other.as_bytes()).into()
}

fn record_key(mesh_id: &str, record_id: &str) -> LeaseKey {
    LeaseKey {
        kind: LeaseKind::RendezvousRecord.into(),
        id: mesh_id.to_owned(),
        scope: record_id.to_owned(),
    }
}

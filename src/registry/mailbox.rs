//! Messages that agents leave for a colony before they are let into its mesh (RFD 108), as leases: each lapses, and
//! belongs to whoever knows the token that it was left with.

use connect::{Error, Host};
use prost::Message as _;
use subtle::ConstantTimeEq as _;

use super::lease::is_live;
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
            gives_back: false,
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
            &StoredLease::new(request.token_hash, now_ms, expires_at_ms, record),
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
        let live = self.live(LeaseKind::Message, mesh_id)?;
        let mut messages = live
            .into_iter()
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
        if request.gives_back {
            for quota in &request.quotas {
                self.give_back(&quota_key(&request.id, quota), quota.interval_ms)?;
            }
            return Ok((SpendResponse::default(), None));
        }
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
            let written = StoredLease::new(String::new(), now_ms, full_at_ms, Vec::new());
            self.store.put(&key, &written)?;
            alarm = earlier(alarm, self.alarm_for(full_at_ms, now_ms));
        }
        Ok((SpendResponse::default(), alarm))
    }

    /// Puts a quota back to where it was before something was taken.
    fn give_back(&self, key: &LeaseKey, interval_ms: i64) -> Result<(), Error> {
        if let Some(mut lease) = self.store.lease(key, self.host.now_ms())? {
            let full_at_ms = lease.holder.expires_at_ms.saturating_sub(interval_ms);
            lease.holder.expires_at_ms = full_at_ms;
            self.store.put(key, &lease)?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use connect::CallOptions;
    use connect::testing::TestHost;
    use futures_executor::block_on;

    use crate::registry::client::Objects as _;
    use crate::registry::memory::MemoryObjects;
    use crate::registry::service::Settings;

    const SETTINGS: Settings = Settings {
        cleanup_interval_ms: 100,
        hot_lookups: None,
        census_debounce_ms: 1,
        publishes: false,
    };

    fn quota(name: &str, burst: u32) -> Quota {
        Quota {
            name: name.to_owned(),
            burst,
            interval_ms: 1_000,
        }
    }

    fn spend(objects: &MemoryObjects<'_>, quotas: &[Quota], gives_back: bool) -> String {
        let request = SpendRequest {
            id: "m".to_owned(),
            quotas: quotas.to_vec(),
            gives_back,
        };
        let object = objects.object("colony:m");
        let answer = block_on(object.spend(&request, CallOptions::default()));
        answer.unwrap().message.exhausted
    }

    #[test]
    fn several_quotas_are_all_spent_or_none_and_can_be_given_back() {
        let host = TestHost::default();
        let objects = MemoryObjects::new(&host, SETTINGS);
        let (few, many) = (quota("few", 1), quota("many", 3));
        assert_eq!(spend(&objects, &[many.clone(), few.clone()], false), "");
        for _ in 0..5 {
            // Refused, and so the other one is not spent.
            assert_eq!(spend(&objects, &[many.clone(), few.clone()], false), "few");
        }
        assert_eq!(spend(&objects, std::slice::from_ref(&few), true), "");
        assert_eq!(spend(&objects, &[many.clone(), few.clone()], false), "");
        assert_eq!(spend(&objects, std::slice::from_ref(&many), false), "");
        assert_eq!(spend(&objects, &[many], false), "many");
    }

    #[test]
    fn what_is_left_or_spent_lapses_and_leaves_nothing() {
        let host = TestHost::default();
        let objects = MemoryObjects::new(&host, SETTINGS);
        let publish = PublishRequest {
            mesh_id: "m".to_owned(),
            record_id: "r".to_owned(),
            replaces: false,
            token_hash: "h".to_owned(),
            message: Some(Message::default()),
            ttl_ms: 90_000,
            quota: Some(quota("publish", 10)),
        };
        let object = objects.object("colony:m");
        block_on(object.publish(&publish, CallOptions::default())).unwrap();
        spend(&objects, &[quota("other", 500)], false);
        let found = |now_ms| {
            host.now_ms.set(now_ms);
            let messages = objects.get("colony:m").messages("m");
            messages.unwrap().messages.len()
        };
        assert_eq!((found(90_000), found(90_001)), (1, 0));
        while let Some(at_ms) = objects.next_alarm_ms() {
            assert!(at_ms < 91_000, "it does not come to rest");
            host.now_ms.set(at_ms.max(host.now_ms.get()));
            block_on(objects.fire_alarms());
        }
        let store = objects.store("colony:m");
        assert_eq!(store.earliest_expiry().unwrap(), None);
    }
}

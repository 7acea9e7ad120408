//! Quotas, stored as leases: a quota is stored while it is not full, and expires when it is full.

use std::time::Duration;

use connect::{Error, Runtime, UnixMillis};

use crate::alarm::earlier;
use crate::object::RegistryObject;
use crate::proto::{ConsumeQuotasRequest, ConsumeQuotasResponse, LeaseKey, LeaseKind, Quota};
use crate::quota::{Rate, try_consume};
use crate::storage::{Store, StoredLease};

impl<S: Store, R: Runtime> RegistryObject<S, R> {
    /// Consumes one unit of each quota, or of none. Returns the response and the alarm that it
    /// needs.
    pub(crate) fn consume(
        &self,
        request: &ConsumeQuotasRequest,
    ) -> Result<(ConsumeQuotasResponse, Option<UnixMillis>), Error> {
        let now = self.now();
        if request.refund {
            for quota in &request.quotas {
                self.refund(&quota_key(&request.id, quota), rate(quota).interval)?;
            }
            return Ok((ConsumeQuotasResponse::default(), None));
        }
        let mut consumed = Vec::new();
        for quota in &request.quotas {
            let key = quota_key(&request.id, quota);
            let full_at = self.store.state(&key)?.map(|state| state.expires_at);
            match try_consume(full_at, rate(quota), now) {
                Ok(full_at) => consumed.push((key, full_at)),
                Err(wait) => {
                    let exhausted = ConsumeQuotasResponse {
                        exhausted: quota.name.clone(),
                        retry_after_ms: i64::try_from(wait.as_millis()).unwrap_or(i64::MAX),
                    };
                    return Ok((exhausted, None));
                }
            }
        }
        let mut alarm = None;
        for (key, full_at) in consumed {
            let lease = StoredLease::new(String::new(), now, full_at, Vec::new());
            self.store.put(&key, &lease)?;
            alarm = earlier(alarm, self.alarm_for(full_at, now));
        }
        Ok((ConsumeQuotasResponse::default(), alarm))
    }

    /// Returns one unit to a quota.
    fn refund(&self, key: &LeaseKey, interval: Duration) -> Result<(), Error> {
        if let Some(mut lease) = self.store.lease(key, self.now())? {
            lease.state.expires_at = lease.state.expires_at - interval;
            self.store.put(key, &lease)?;
        }
        Ok(())
    }
}

fn rate(quota: &Quota) -> Rate {
    Rate {
        burst: quota.burst,
        interval: Duration::from_millis(u64::try_from(quota.interval_ms).unwrap_or(0)),
    }
}

fn quota_key(id: &str, quota: &Quota) -> LeaseKey {
    LeaseKey {
        kind: LeaseKind::Quota.into(),
        id: id.to_owned(),
        scope: quota.name.clone(),
    }
}

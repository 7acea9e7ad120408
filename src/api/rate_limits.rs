//! Limits of calls per minute, as the handlers apply them.

use std::time::Duration;

use connect::Error;
use coral_registry::proto::LeaseKey;

use super::Discovery;
use crate::domain::rate_limit::{self, Limit};
use crate::ports::{Host, RateLimiter as _, RateVerdict};

/// The period over which calls are counted, and so the time after which a retry is worthwhile.
const PERIOD: Duration = Duration::from_secs(60);

impl<H: Host> Discovery<H> {
    /// Counts a call of `key`.
    ///
    /// # Errors
    /// `resource_exhausted` beyond the limit, with the time to retry after. A limiter that fails or
    /// is missing limits nothing: too many calls are better than none.
    pub(super) async fn check_limit(&self, limit: Limit, key: &str) -> Result<(), Error> {
        let verdict = self.host.rate_limiter().count(limit, key).await;
        let log = &self.state.log;
        match verdict {
            Ok(RateVerdict::Allowed) => Ok(()),
            Ok(RateVerdict::NotConfigured) => {
                let name = limit.binding();
                log.notice_once(name, || format!("{name} is not bound: no limit"));
                Ok(())
            }
            Err(error) => {
                log.warn_error(limit.binding(), &error, self.now());
                Ok(())
            }
            Ok(RateVerdict::Limited) => {
                let calls = limit.counted_calls();
                let text = format!("too many {calls}: try again in a minute");
                Err(Error::resource_exhausted(text).with_retry_after(PERIOD))
            }
        }
    }

    /// Counts a call by the caller's address. A caller without one is not counted: only a
    /// self-hosted server has any.
    ///
    /// # Errors
    /// `resource_exhausted`
    pub(super) async fn check_client_limit(&self, limit: Limit) -> Result<(), Error> {
        match self.client.address {
            Some(address) => {
                self.check_limit(limit, &rate_limit::client_key(address))
                    .await
            }
            None => Ok(()),
        }
    }

    /// Counts a registration by the caller's address, and by its lease and owner.
    ///
    /// # Errors
    /// `resource_exhausted`
    pub(super) async fn check_registration_limit(
        &self,
        key: &LeaseKey,
        owner: &str,
    ) -> Result<(), Error> {
        self.check_client_limit(Limit::RegisterByClient).await?;
        let lease = rate_limit::lease_key(key, owner);
        self.check_limit(Limit::RegisterByLease, &lease).await
    }
}

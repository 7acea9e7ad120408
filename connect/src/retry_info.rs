//! The delay after which a client should retry.

use std::time::Duration;

use http::{HeaderValue, header};
use prost::Message as _;

use crate::error::Error;
use crate::wkt;

/// `google.rpc.RetryInfo`
#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<wkt::Duration>,
}

impl Error {
    /// Asks the client to retry after `delay`: with a detail `google.rpc.RetryInfo` for programs,
    /// and with the header `Retry-After`, which counts whole seconds, for proxies and people.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use connect::Error;
    ///
    /// let error = Error::unavailable("overloaded").with_retry_after(Duration::from_millis(1_500));
    /// assert_eq!(error.headers()["retry-after"], "2");
    /// assert_eq!(error.details()[0].type_name, "google.rpc.RetryInfo");
    /// ```
    #[must_use]
    pub fn with_retry_after(self, delay: Duration) -> Self {
        let info = RetryInfo {
            retry_delay: Some(wkt::Duration {
                seconds: i64::try_from(delay.as_secs()).unwrap_or(i64::MAX),
                nanos: i32::try_from(delay.subsec_nanos()).unwrap_or(0),
            }),
        };
        let mut error = self.with_detail("google.rpc.RetryInfo", info.encode_to_vec());
        // Rounded up, as a client must not retry too early.
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        let seconds = HeaderValue::from(seconds);
        error.headers_mut().insert(header::RETRY_AFTER, seconds);
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_is_in_detail_and_header() {
        let error = Error::unavailable("later").with_retry_after(Duration::from_millis(1_500));
        assert_eq!(error.headers()["retry-after"], "2");
        let detail = &error.details()[0];
        assert_eq!(detail.type_name, "google.rpc.RetryInfo");
        let info = RetryInfo::decode(detail.value.clone()).unwrap();
        let delay = info.retry_delay.unwrap();
        assert_eq!((delay.seconds, delay.nanos), (1, 500_000_000));
    }
}

//! The migration from a legacy server to this one: the calls that go there, and their outcomes.
//!
//! Colonies and agents that are still registered at the legacy server are not in the registry, and
//! those that have moved are not at the legacy server. So a lookup that the registry does not know
//! goes to the legacy server, and registrations here are mirrored there: clients of either server
//! find all colonies and agents, also after a switch back to the legacy server.

mod circuit_breaker;
mod outcome;
mod registration;
mod settings;

pub use circuit_breaker::{CircuitBreaker, InFlightPermit};
pub use outcome::{LegacyOutcome, failure_reason};
pub use registration::Registration;
pub use settings::{MigrationSettings, base_url};

use std::net::IpAddr;
use std::time::Duration;

use connect::{CallOptions, Client, Deadline, Transport, UnixMillis};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::limits;
use crate::proto::discovery::DiscoveryServiceClient;

/// The header of a call that the service makes on behalf of another one. A call that has it is not
/// forwarded, so that two servers which name each other as the legacy one, or one that names
/// itself, go no further. Any client can send it: its lookup is then served by the registry alone,
/// and its registration is not mirrored.
pub const FORWARDED: HeaderName = HeaderName::from_static("coral-discovery-forwarded");

/// The header of a response that comes from the legacy server.
pub const SOURCE: HeaderName = HeaderName::from_static("coral-discovery-source");

/// The value of [`SOURCE`].
pub const SOURCE_LEGACY: HeaderValue = HeaderValue::from_static("legacy");

/// The time before a caller's deadline at which a call to the legacy server times out, so that the
/// response is still in time.
const MARGIN: Duration = Duration::from_millis(100);

/// Returns a client of the legacy server.
pub fn client<T: Transport>(
    settings: &MigrationSettings,
    transport: T,
) -> DiscoveryServiceClient<T> {
    DiscoveryServiceClient(Client::new(
        transport,
        settings.url.as_str(),
        settings.codec,
        limits::LEGACY_RESPONSE_BYTES,
    ))
}

/// Returns the timeout of a call to the legacy server on behalf of a caller with that deadline.
#[must_use]
pub fn timeout_for(
    settings: &MigrationSettings,
    deadline: Option<Deadline>,
    now: UnixMillis,
) -> Duration {
    let left = deadline.map(|deadline| deadline.remaining(now).saturating_sub(MARGIN));
    left.map_or(settings.timeout, |left| left.min(settings.timeout))
}

/// Returns the options of a call to the legacy server on behalf of a caller at `address`.
#[must_use]
pub fn call_options(timeout: Duration, address: Option<IpAddr>) -> CallOptions {
    let mut headers = HeaderMap::new();
    headers.insert(FORWARDED, HeaderValue::from_static("1"));
    // The legacy server takes the address it sees for an observed endpoint: without this header
    // that would be the address of this service.
    let address = address.and_then(|address| HeaderValue::try_from(address.to_string()).ok());
    if let Some(address) = address {
        headers.insert(HeaderName::from_static("x-forwarded-for"), address);
    }
    CallOptions {
        headers,
        timeout: Some(timeout),
        gzip: false,
    }
}

#[cfg(test)]
mod tests {
    use connect::Codec;

    use super::*;

    const SETTINGS: MigrationSettings = MigrationSettings {
        url: String::new(),
        codec: Codec::Proto,
        timeout: Duration::from_secs(2),
        synchronous_writes: false,
    };

    #[test]
    fn legacy_call_times_out_before_its_caller() {
        let now = UnixMillis::from_millis(1_000);
        let timeout = |left_ms| {
            let deadline = Deadline::after(now, Duration::from_millis(left_ms));
            timeout_for(&SETTINGS, Some(deadline), now)
        };
        assert_eq!(timeout(10_000), Duration::from_secs(2));
        assert_eq!(timeout(500), Duration::from_millis(400));
        assert_eq!(timeout(100), Duration::ZERO);
        assert_eq!(timeout_for(&SETTINGS, None, now), Duration::from_secs(2));
    }

    #[test]
    fn forwarded_call_says_so_and_names_the_caller() {
        let address = "198.51.100.7".parse().ok();
        let options = call_options(SETTINGS.timeout, address);
        assert!(options.headers.contains_key(FORWARDED));
        assert_eq!(options.headers["x-forwarded-for"], "198.51.100.7");
    }
}

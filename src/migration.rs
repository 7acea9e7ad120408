//! While clients move from an old server to this one: who is asked for what, and what its answers mean.
//!
//! Colonies and agents that are still registered at the old server are not in the registry, and those that have moved are
//! not at the old server. So a lookup that the registry does not know goes to the old server, and what registers here is
//! registered there as well: whoever asks either of them finds everybody, and nobody is lost on the way back.

mod outcome;
mod reachability;

use std::net::IpAddr;
use std::time::Duration;

use connect::{CallOptions, Codec, Deadline, Error, Host, Transport};
use http::{HeaderMap, HeaderName, HeaderValue};

pub use self::outcome::{Outcome, reason};
pub use self::reachability::Reachability;
use crate::protos::coral::discovery::v1::{
    DiscoveryServiceClient, RegisterAgentRequest, RegisterColonyRequest,
};

/// What a call carries that we make on behalf of another one. A call that has it is passed on to nobody, so that two
/// servers which know each other as the old one, or one that knows itself, ask no further. Anybody can send it: their
/// lookup is then answered from the registry alone, and what they register is registered here alone.
pub const FORWARDED: HeaderName = HeaderName::from_static("coral-discovery-forwarded");

/// The header of an answer that comes from the old server.
pub const SOURCE: HeaderName = HeaderName::from_static("coral-discovery-source");

/// The value of [`SOURCE`].
pub const LEGACY: HeaderValue = HeaderValue::from_static("legacy");

/// How long before a caller's deadline the old server is given up, so that our answer still comes in time.
const MARGIN: Duration = Duration::from_millis(100);

/// After how long a registration is tried once more.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How the old server is reached, and what is to be done for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// `LEGACY_DISCOVERY_URL`: scheme, authority, and a path without a slash at the end if there is one.
    pub url: String,
    /// `LEGACY_CODEC`: what it speaks.
    pub codec: Codec,
    /// `LEGACY_TIMEOUT_MS`: for how long it is waited for at most.
    pub timeout: Duration,
    /// `LEGACY_SYNC_WRITES`: whether a registration waits for the old server, and a colony's id that another key holds there is
    /// not given away here.
    pub is_awaited: bool,
}

/// Reads a base URL. `None` if it is none, or has more than a client may be told: a user, a query.
#[must_use]
pub fn base_url(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('/');
    let url: http::Uri = text.parse().ok()?;
    let is_web = matches!(url.scheme_str(), Some("http" | "https"));
    let has_host = url.host().is_some_and(|host| !host.is_empty());
    let has_user = url.authority()?.as_str().contains('@');
    let has_query = text.contains(['?', '#']);
    (is_web && has_host && !has_user && !has_query).then(|| text.to_owned())
}

/// The old server, and what is done for it after an answer.
pub trait Legacy {
    /// What carries calls to it.
    type Transport: Transport;

    /// A client of it.
    fn client(&self, migration: &Migration) -> DiscoveryServiceClient<Self::Transport>;

    /// Registers there what a caller at `peer` has registered here, once it is answered.
    fn register_later(&self, registration: Registration, peer: Option<IpAddr>);

    /// Tells the log why it has failed: now and then, as it may fail at each call.
    fn complain(&self, reason: &str);
}

/// What is registered at the old server.
#[derive(Clone, Debug)]
pub enum Registration {
    /// A colony.
    Colony(RegisterColonyRequest),
    /// An agent.
    Agent(RegisterAgentRequest),
}

impl Registration {
    /// The method by which it is registered.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Self::Colony(_) => "RegisterColony",
            Self::Agent(_) => "RegisterAgent",
        }
    }

    /// The mesh that it is about.
    #[must_use]
    pub fn mesh_id(&self) -> &str {
        match self {
            Self::Colony(request) => &request.mesh_id,
            Self::Agent(request) => &request.mesh_id,
        }
    }

    /// Registers it at the old server. If that fails, and `again` says that it is worth it, once more: agents register only
    /// once.
    ///
    /// # Errors
    /// That server's, or why there was no answer.
    pub async fn send_later<T: Transport>(
        &self,
        client: &DiscoveryServiceClient<T>,
        options: CallOptions,
        host: &impl Host,
        again: impl FnOnce() -> bool,
    ) -> Result<(), Error> {
        let answer = self.send(client, options.clone()).await;
        if Outcome::of(&answer) != Outcome::Failed || !again() {
            return answer;
        }
        host.sleep(AGAIN_AFTER).await;
        self.send(client, options).await
    }

    /// Registers it at the old server.
    ///
    /// # Errors
    /// That server's, or why there was no answer.
    pub async fn send<T: Transport>(
        &self,
        client: &DiscoveryServiceClient<T>,
        options: CallOptions,
    ) -> Result<(), Error> {
        match self {
            Self::Colony(request) => client.register_colony(request, options).await.map(drop),
            Self::Agent(request) => client.register_agent(request, options).await.map(drop),
        }
    }
}

/// Whether a call was passed on to us, and must go no further.
#[must_use]
pub fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(FORWARDED)
}

/// How long the old server is waited for on behalf of a caller who waits until `deadline`.
#[must_use]
pub fn patience(migration: &Migration, deadline: Option<Deadline>, now_ms: i64) -> Duration {
    let left = deadline.map(|deadline| deadline.remaining(now_ms).saturating_sub(MARGIN));
    left.map_or(migration.timeout, |left| left.min(migration.timeout))
}

/// How the old server is called on behalf of a caller at `peer`.
#[must_use]
pub fn call_options(patience: Duration, peer: Option<IpAddr>) -> CallOptions {
    let mut headers = HeaderMap::new();
    headers.insert(FORWARDED, HeaderValue::from_static("1"));
    // The old server takes the address it sees for an observed endpoint: without this it would be ours.
    let address = peer.and_then(|peer| HeaderValue::try_from(peer.to_string()).ok());
    if let Some(address) = address {
        headers.insert(HeaderName::from_static("x-forwarded-for"), address);
    }
    CallOptions {
        headers,
        timeout: Some(patience),
        gzip: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIGRATION: Migration = Migration {
        url: String::new(),
        codec: Codec::Proto,
        timeout: Duration::from_secs(2),
        is_awaited: false,
    };

    #[test]
    fn a_base_url_is_a_server_and_no_more() {
        for (text, url) in [
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            (
                " https://discovery.example.org/ ",
                Some("https://discovery.example.org"),
            ),
            (
                "https://example.org/discovery/",
                Some("https://example.org/discovery"),
            ),
            ("discovery.example.org", None),
            ("discovery.example.org:8080", None),
            ("ftp://example.org", None),
            ("https://", None),
            ("https://user:secret@example.org", None),
            ("https://example.org/?a=b", None),
            ("https://example.org/#a", None),
            ("", None),
        ] {
            assert_eq!(base_url(text).as_deref(), url, "{text}");
        }
    }

    #[test]
    fn the_old_server_is_given_up_before_the_caller_gives_up() {
        let left = |left_ms| {
            let deadline = Deadline::after(1_000, Duration::from_millis(left_ms));
            patience(&MIGRATION, Some(deadline), 1_000)
        };
        assert_eq!(left(10_000), Duration::from_secs(2));
        assert_eq!(left(500), Duration::from_millis(400));
        assert_eq!(left(100), Duration::ZERO);
        assert_eq!(patience(&MIGRATION, None, 1_000), Duration::from_secs(2));
    }

    #[test]
    fn a_call_that_is_passed_on_says_so_and_for_whom() {
        let peer = "198.51.100.7".parse().ok();
        let options = call_options(MIGRATION.timeout, peer);
        assert!(is_forwarded(&options.headers));
        assert_eq!(options.headers["x-forwarded-for"], "198.51.100.7");
        assert!(!is_forwarded(&HeaderMap::new()));
    }
}

//! While clients move from an old server to this one: who is asked for what, and what its answers mean.
//!
//! Colonies and agents that are still registered at the old server are not in the registry, and those that have moved are
//! not at the old server. So a lookup that the registry does not know goes to the old server, and what registers here is
//! registered there as well: whoever asks either of them finds everybody, and nobody is lost on the way back.

use std::cell::Cell;
use std::net::IpAddr;
use std::time::Duration;

use connect::{CallOptions, Code, Deadline, Error, Host, Transport};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::protos::coral::discovery::v1::{
    DiscoveryServiceClient, RegisterAgentRequest, RegisterColonyRequest,
};

/// What a call carries that we make on behalf of another one. A call that has it is passed on to nobody, so that two
/// servers which know each other as the old one, or one that knows itself, ask no further. Anybody can send it: their call
/// is then answered from the registry alone, and what they register is registered here alone.
pub const FORWARDED: HeaderName = HeaderName::from_static("coral-discovery-forwarded");

/// What an answer carries that is the old server's.
pub const SOURCE: HeaderName = HeaderName::from_static("coral-discovery-source");

/// The value of [`SOURCE`].
pub const LEGACY: HeaderValue = HeaderValue::from_static("legacy");

/// How long before a caller's deadline the old server is given up, so that our answer still comes in time.
const MARGIN: Duration = Duration::from_millis(100);

/// After how many failures in a row the old server is left in peace for a while.
const FAILURES: u32 = 3;

/// For how long, in milliseconds: a lookup that waits for a server that is down helps nobody.
const PEACE_MS: i64 = 5_000;

/// After how long a registration is tried once more.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How the old server is reached, and what is to be done for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// `LEGACY_DISCOVERY_URL`: scheme, authority, and a path without a slash at the end if there is one.
    pub url: String,
    /// `LEGACY_TIMEOUT_MS`: for how long it is waited for at most.
    pub timeout: Duration,
    /// `LEGACY_AWAITED`: whether a registration is answered only after the old server has answered it.
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

    /// A client of the server at `url`.
    fn client(&self, url: &str) -> DiscoveryServiceClient<Self::Transport>;

    /// Registers there what a caller at `peer` has registered here, once it is answered.
    fn register_later(&self, registration: Registration, peer: Option<IpAddr>);
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

    /// Registers it at the old server, and once more if that fails: agents register only once.
    ///
    /// # Errors
    /// That server's, or why there was no answer.
    pub async fn send_later<T: Transport>(
        &self,
        client: &DiscoveryServiceClient<T>,
        options: CallOptions,
        host: &impl Host,
    ) -> Result<(), Error> {
        let answer = self.send(client, options.clone()).await;
        if Outcome::of(&answer) != Outcome::Failed {
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

/// How the old server is called on behalf of a caller at `peer` who waits until `deadline`. `None` if there is no time
/// left for it.
#[must_use]
pub fn call_options(
    migration: &Migration,
    peer: Option<IpAddr>,
    deadline: Option<Deadline>,
    now_ms: i64,
) -> Option<CallOptions> {
    let left = deadline.map(|deadline| deadline.remaining(now_ms).saturating_sub(MARGIN));
    let timeout = left.map_or(migration.timeout, |left| left.min(migration.timeout));
    if timeout.is_zero() {
        return None;
    }
    let mut headers = HeaderMap::new();
    headers.insert(FORWARDED, HeaderValue::from_static("1"));
    // The old server takes the address it sees for an observed endpoint: without this it would be ours.
    let address = peer.and_then(|peer| HeaderValue::try_from(peer.to_string()).ok());
    if let Some(address) = address {
        headers.insert(HeaderName::from_static("x-forwarded-for"), address);
    }
    Some(CallOptions {
        headers,
        timeout: Some(timeout),
        gzip: false,
    })
}

/// What became of a call to the old server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It knows what was looked up, or has registered it.
    Done,
    /// It does not know it either.
    NotFound,
    /// Another key holds it there: a split brain.
    SplitBrain,
    /// It refuses what we have accepted.
    Refused,
    /// It did not answer, or with an error of its own.
    Failed,
    /// It was not asked: it has failed too often, or there was no time left.
    Skipped,
}

impl Outcome {
    /// What an answer means. The Go server calls a split brain `internal`, and tells it by its text alone.
    #[must_use]
    pub fn of<T>(answer: &Result<T, Error>) -> Self {
        let Err(error) = answer else {
            return Self::Done;
        };
        match error.code() {
            Code::NotFound => Self::NotFound,
            Code::AlreadyExists => Self::SplitBrain,
            Code::Internal
                if error
                    .message()
                    .contains("already registered with different") =>
            {
                Self::SplitBrain
            }
            Code::InvalidArgument
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::PermissionDenied => Self::Refused,
            _ => Self::Failed,
        }
    }

    /// Its name in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotFound => "not_found",
            Self::SplitBrain => "split_brain",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// Whether the old server is worth asking, as an isolate knows from its last answers.
#[derive(Debug, Default)]
pub struct Reachability {
    failures: Cell<u32>,
    peace_until_ms: Cell<i64>,
}

impl Reachability {
    /// Whether it is asked now.
    #[must_use]
    pub fn is_asked(&self, now_ms: i64) -> bool {
        now_ms >= self.peace_until_ms.get()
    }

    /// Notes what became of a call. After some failures in a row one call in a while finds out whether it is back.
    pub fn note(&self, outcome: Outcome, now_ms: i64) {
        if outcome == Outcome::Skipped {
            return;
        }
        let failures = match outcome {
            Outcome::Failed => self.failures.get().saturating_add(1),
            _ => 0,
        };
        self.failures.set(failures);
        let peace_ms = if failures >= FAILURES { PEACE_MS } else { 0 };
        self.peace_until_ms.set(now_ms.saturating_add(peace_ms));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIGRATION: Migration = Migration {
        url: String::new(),
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
        let timeout = |left_ms| {
            let deadline = Deadline::after(1_000, Duration::from_millis(left_ms));
            let options = call_options(&MIGRATION, None, Some(deadline), 1_000);
            options.and_then(|options| options.timeout)
        };
        assert_eq!(timeout(10_000), Some(Duration::from_secs(2)));
        assert_eq!(timeout(500), Some(Duration::from_millis(400)));
        assert_eq!(timeout(100), None);
        let without = call_options(&MIGRATION, None, None, 1_000).unwrap();
        assert_eq!(without.timeout, Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_call_that_is_passed_on_says_so_and_for_whom() {
        let peer = "198.51.100.7".parse().ok();
        let options = call_options(&MIGRATION, peer, None, 0).unwrap();
        assert!(is_forwarded(&options.headers));
        assert_eq!(options.headers["x-forwarded-for"], "198.51.100.7");
        assert!(!is_forwarded(&HeaderMap::new()));
    }

    #[test]
    fn a_split_brain_is_known_by_its_code_or_by_what_the_go_server_says() {
        let internal = |text: &'static str| Err(Error::internal(text));
        for (answer, outcome) in [
            (Ok(()), Outcome::Done),
            (Err(Error::not_found("")), Outcome::NotFound),
            (Err(Error::already_exists("")), Outcome::SplitBrain),
            (
                internal(
                    "colony/agent 'm' already registered with different public key until \
                     2026-01-01 (existing: a, new: b)",
                ),
                Outcome::SplitBrain,
            ),
            (internal("out of memory"), Outcome::Failed),
            (Err(Error::invalid_argument("")), Outcome::Refused),
            (Err(Error::unavailable("")), Outcome::Failed),
            (Err(Error::deadline_exceeded("")), Outcome::Failed),
            // What a server says that has no such service.
            (Err(Error::unimplemented("")), Outcome::Failed),
        ] {
            assert_eq!(Outcome::of(&answer), outcome, "{answer:?}");
        }
    }

    #[test]
    fn a_server_that_is_down_is_left_in_peace_and_tried_again() {
        let legacy = Reachability::default();
        legacy.note(Outcome::Failed, 0);
        legacy.note(Outcome::Failed, 1);
        assert!(legacy.is_asked(1), "two failures may be chance");
        legacy.note(Outcome::Failed, 2);
        assert!(!legacy.is_asked(2));
        legacy.note(Outcome::Skipped, 3);
        assert!(legacy.is_asked(2 + PEACE_MS));
        legacy.note(Outcome::Failed, 2 + PEACE_MS);
        assert!(!legacy.is_asked(3 + PEACE_MS), "it is still down");
        legacy.note(Outcome::NotFound, 4 + PEACE_MS);
        assert!(legacy.is_asked(4 + PEACE_MS), "it is back");
    }
}

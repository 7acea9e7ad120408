//! The context of a call, for its handler.

use std::net::IpAddr;

use http::HeaderMap;

use crate::deadline::Deadline;
use crate::method::Method;

/// Everything about a call but its message.
#[derive(Debug)]
pub struct Context {
    pub(crate) method: &'static Method,
    pub(crate) headers: HeaderMap,
    pub(crate) peer: Option<Peer>,
    pub(crate) deadline: Option<Deadline>,
}

/// Who calls, as far as the host can tell. The host puts it into the extensions of the HTTP
/// request; how far it can be trusted is the host's to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

impl Context {
    /// The method that is called.
    #[must_use]
    pub fn method(&self) -> &'static Method {
        self.method
    }

    /// The request's headers as the client sent them: claims, not facts.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The caller's address, if the host knows it.
    #[must_use]
    pub fn peer(&self) -> Option<IpAddr> {
        self.peer.map(|Peer(address)| address)
    }

    /// When the caller stops waiting. Work that outlives it is wasted.
    #[must_use]
    pub fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }
}

//! The context of a call, for its handler.

use std::net::IpAddr;

use http::HeaderMap;

use crate::deadline::Deadline;
use crate::method::Method;

/// Context of a call: everything except its message.
///
/// ```
/// use connect::{Context, Error};
///
/// /// Returns the language that a client prefers.
/// fn language(cx: &Context) -> Result<&str, Error> {
///     let Some(value) = cx.headers().get("accept-language") else {
///         return Ok("en");
///     };
///     value.to_str().map_err(|_| Error::invalid_argument("accept-language is not text"))
/// }
/// ```
#[derive(Debug)]
pub struct Context {
    pub(crate) method: &'static Method,
    pub(crate) headers: HeaderMap,
    pub(crate) peer: Option<Peer>,
    pub(crate) deadline: Option<Deadline>,
}

/// Address of the client, for the extensions of a request.
///
/// The platform sets it, and decides how far it can be trusted.
///
/// ```
/// use std::net::Ipv4Addr;
///
/// use connect::{Peer, http};
///
/// let peer = Peer(Ipv4Addr::LOCALHOST.into());
/// let request = http::Request::post("/").extension(peer).body(());
/// # request.unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

impl Context {
    /// Returns the method that is called.
    #[must_use]
    pub fn method(&self) -> &'static Method {
        self.method
    }

    /// Returns the request's headers. A client can set them to anything.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the client's address, if the platform knows it.
    #[must_use]
    pub fn peer(&self) -> Option<IpAddr> {
        self.peer.map(|Peer(address)| address)
    }

    /// Returns the time at which the client stops waiting. Work after it is wasted.
    #[must_use]
    pub fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }
}

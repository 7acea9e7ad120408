//! What a handler is told about its call, and what it answers with.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{Deadline, Method};

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

/// A successful answer: the message with its metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response<M> {
    /// The message.
    pub message: M,
    /// Metadata that goes ahead of it, as HTTP headers.
    pub headers: HeaderMap,
    /// Metadata that comes after it, as `trailer-` headers.
    pub trailers: HeaderMap,
}

impl<M> Response<M> {
    /// Adds a header; values that the response already has under this name stay.
    ///
    /// ```
    /// use connect::Response;
    /// use connect::http::{HeaderValue, header::RETRY_AFTER};
    ///
    /// let response = Response::from("busy").with_header(RETRY_AFTER, HeaderValue::from_static("2"));
    /// assert_eq!(response.headers[RETRY_AFTER], "2");
    /// ```
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }
}

impl<M> From<M> for Response<M> {
    fn from(message: M) -> Self {
        Self {
            message,
            headers: HeaderMap::new(),
            trailers: HeaderMap::new(),
        }
    }
}

//! A successful response: a message with metadata.

use http::{HeaderMap, HeaderName, HeaderValue};

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

    /// Adds a header from texts. A value that no header can hold is left out.
    ///
    /// ```
    /// use connect::Response;
    ///
    /// let response = Response::from("pong").with_metadata("served-by", "eu-1");
    /// assert_eq!(response.headers["served-by"], "eu-1");
    /// ```
    #[must_use]
    pub fn with_metadata(self, name: &'static str, value: &str) -> Self {
        match HeaderValue::try_from(value) {
            Ok(value) => self.with_header(HeaderName::from_static(name), value),
            Err(_) => self,
        }
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

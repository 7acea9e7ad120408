//! Successful responses.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Message with metadata.
///
/// ```
/// use connect::Response;
///
/// let response: Response<&str> = "hello".into();
/// assert_eq!(response.message, "hello");
/// assert!(response.headers.is_empty() && response.trailers.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response<M> {
    /// The message.
    pub message: M,
    /// Metadata that is sent as HTTP headers.
    pub headers: HeaderMap,
    /// Metadata that is sent as HTTP headers with the prefix `trailer-`.
    pub trailers: HeaderMap,
}

impl<M> Response<M> {
    /// Adds a header. Values that the response already has under this name stay.
    ///
    /// ```
    /// use connect::Response;
    /// use connect::http::{HeaderValue, header::ETAG};
    ///
    /// let response = Response::from("hello").with_header(ETAG, HeaderValue::from_static("\"1\""));
    /// assert_eq!(response.headers[ETAG], "\"1\"");
    /// ```
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Adds a header from texts. A value that no header can hold is skipped.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_header_keeps_earlier_values_of_the_name() {
        let name = HeaderName::from_static("x-a");
        let response = Response::from(())
            .with_header(name.clone(), HeaderValue::from_static("1"))
            .with_header(name.clone(), HeaderValue::from_static("2"));
        let values: Vec<_> = response.headers.get_all(name).iter().collect();
        assert_eq!(values, ["1", "2"]);
    }
}

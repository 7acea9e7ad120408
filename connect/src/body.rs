//! Request bodies.

use bytes::Bytes;

/// Body of a request, read after the checks of the request's head.
///
/// [`Bytes`] is a body that is already in memory.
///
/// ```
/// use connect::bytes::Bytes;
/// use connect::{Body, ReadError};
///
/// # futures_executor::block_on(async {
/// assert_eq!(Bytes::from("four").read(4).await.unwrap(), "four");
/// let error = Bytes::from("fives").read(4).await.unwrap_err();
/// assert!(matches!(error, ReadError::TooLarge));
/// # });
/// ```
#[allow(
    async_fn_in_trait,
    reason = "an isolate has one thread: futures need not be Send"
)]
pub trait Body {
    /// Reads the whole body, or stops as soon as it exceeds `limit` bytes.
    ///
    /// # Errors
    /// [`ReadError::TooLarge`] beyond `limit`, [`ReadError::Broken`] when the client disconnects.
    async fn read(self, limit: usize) -> Result<Bytes, ReadError>;

    /// Drains the body. A connection can only be used again once the body is drained.
    async fn discard(self);
}

/// Error of [`Body::read`].
#[derive(Debug)]
pub enum ReadError {
    /// The body has more bytes than allowed.
    TooLarge,
    /// The body ended early. The text is for the log.
    Broken(String),
}

impl Body for Bytes {
    async fn read(self, limit: usize) -> Result<Self, ReadError> {
        if self.len() > limit {
            return Err(ReadError::TooLarge);
        }
        Ok(self)
    }

    async fn discard(self) {}
}

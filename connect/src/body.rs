//! The body of a request.

use bytes::Bytes;

/// The body of a request, read only once everything before it is in order.
#[allow(
    async_fn_in_trait,
    reason = "an isolate has one thread: futures need not be Send"
)]
pub trait Body {
    /// Reads all of it, or stops as soon as there are more than `limit` bytes.
    ///
    /// # Errors
    /// [`ReadError::TooLarge`] beyond `limit`, [`ReadError::Broken`] when the peer went away.
    async fn read(self, limit: usize) -> Result<Bytes, ReadError>;

    /// Throws it away. A connection is only good for another call once the body is drained.
    async fn discard(self);
}

/// Why a body could not be read.
#[derive(Debug)]
pub enum ReadError {
    /// It has more bytes than allowed.
    TooLarge,
    /// It broke off; the text is for the log.
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

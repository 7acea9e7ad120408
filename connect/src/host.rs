//! What the protocol needs from where it runs: a clock, a timer, and the bytes of a body.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

/// A clock and a timer. The crate has neither of its own: on wasm32 `std::time` traps.
#[allow(
    async_fn_in_trait,
    reason = "an isolate has one thread: futures need not be Send"
)]
pub trait Host {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;

    /// Returns after `duration`.
    async fn sleep(&self, duration: Duration);
}

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

/// When a request came, in its extensions: for hosts that have done something before they hand it over, as the
/// time for it counts from then.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// A point in time by which a call must be answered, on the clock of a [`Host`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    at_ms: i64,
}

impl Deadline {
    /// The point `timeout` after `now_ms`.
    #[must_use]
    pub fn after(now_ms: i64, timeout: Duration) -> Self {
        let timeout_ms = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
        Self {
            at_ms: now_ms.saturating_add(timeout_ms),
        }
    }

    /// What is left at `now_ms`; zero once the deadline has passed.
    #[must_use]
    pub fn remaining(self, now_ms: i64) -> Duration {
        let left_ms = self.at_ms.saturating_sub(now_ms);
        Duration::from_millis(u64::try_from(left_ms).unwrap_or(0))
    }
}

/// Runs `call` until it is done or `timeout` is over, whichever comes first.
/// `None` when time was up.
///
/// Both are pinned by the caller: a future that is passed on by value is stored once more in each
/// function that it passes through, and those of handlers are large.
pub(crate) async fn within<T>(
    sleep: Pin<&mut impl Future<Output = ()>>,
    call: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    use futures_util::future::{Either, select};
    match select(call, sleep).await {
        Either::Left((answer, _)) => Some(answer),
        Either::Right(((), _)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_never_leaves_less_than_nothing() {
        let deadline = Deadline::after(1_000, Duration::from_millis(250));
        assert_eq!(deadline.remaining(1_100), Duration::from_millis(150));
        assert_eq!(deadline.remaining(1_250), Duration::ZERO);
        assert_eq!(deadline.remaining(9_999), Duration::ZERO);
    }

    #[test]
    fn a_deadline_beyond_the_clock_is_the_last_moment() {
        let deadline = Deadline::after(i64::MAX - 1, Duration::MAX);
        assert_eq!(deadline.remaining(i64::MAX), Duration::ZERO);
    }
}

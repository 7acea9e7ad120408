//! What the protocol needs from where it runs: a clock, a timer, and the bytes of a body.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

use crate::UnixMillis;

/// A clock and a timer. The crate has neither of its own: on wasm32 `std::time` traps.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use connect::{Runtime, UnixMillis};
///
/// struct Native;
///
/// impl Runtime for Native {
///     fn now(&self) -> UnixMillis {
///         let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
///         UnixMillis::EPOCH + since_epoch.unwrap_or_default()
///     }
///
///     async fn sleep(&self, duration: Duration) {
///         std::thread::sleep(duration);
///     }
/// }
///
/// assert!(Native.now() > UnixMillis::EPOCH);
/// ```
#[allow(
    async_fn_in_trait,
    reason = "an isolate has one thread: futures need not be Send"
)]
pub trait Runtime {
    /// Returns the current time.
    fn now(&self) -> UnixMillis;

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
pub struct ReceivedAt(pub UnixMillis);

/// A point in time by which a call must be answered, on the clock of a [`Runtime`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(UnixMillis);

impl Deadline {
    /// Creates the deadline that is `timeout` after `now`.
    #[must_use]
    pub fn after(now: UnixMillis, timeout: Duration) -> Self {
        Self(now + timeout)
    }

    /// Returns the time left at `now`; zero once the deadline has passed.
    #[must_use]
    pub fn remaining(self, now: UnixMillis) -> Duration {
        self.0.duration_since(now)
    }
}

/// Runs `call` until it is done or `timeout` is over, whichever comes first.
/// `None` when time was up.
///
/// Both are pinned by the caller: a future that is passed on by value is stored once more in each
/// function that it passes through, and those of handlers are large.
pub(crate) async fn with_timeout<T>(
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
        let at = UnixMillis::from_millis;
        let deadline = Deadline::after(at(1_000), Duration::from_millis(250));
        assert_eq!(deadline.remaining(at(1_100)), Duration::from_millis(150));
        assert_eq!(deadline.remaining(at(1_250)), Duration::ZERO);
        assert_eq!(deadline.remaining(at(9_999)), Duration::ZERO);
    }

    #[test]
    fn a_deadline_beyond_the_clock_is_the_last_moment() {
        let almost = UnixMillis::from_millis(i64::MAX - 1);
        let deadline = Deadline::after(almost, Duration::MAX);
        assert_eq!(deadline.remaining(UnixMillis::MAX), Duration::ZERO);
    }
}

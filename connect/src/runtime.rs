//! The clock and the timer that the protocol needs from its platform.

use std::pin::Pin;
use std::time::Duration;

use crate::unix_millis::UnixMillis;

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

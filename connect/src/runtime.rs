//! The clock and the timer of the platform.

use std::pin::Pin;
use std::time::Duration;

use crate::unix_millis::UnixMillis;

/// Clock and timer of the platform. This crate has none of its own, as `std::time` panics on
/// wasm32.
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
///         std::thread::sleep(duration); // a real one yields to other tasks
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

    /// Waits for `duration`.
    async fn sleep(&self, duration: Duration);
}

/// Runs `call` until it completes; returns `None` if `sleep` completes first.
///
/// The caller pins both futures: a future passed by value is stored once more in each function
/// that it passes through, and those of handlers are large.
pub(crate) async fn with_timeout<T>(
    sleep: Pin<&mut impl Future<Output = ()>>,
    call: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    use futures_util::future::{Either, select};
    match select(call, sleep).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;

    use futures_executor::block_on;

    use super::*;

    #[test]
    fn output_wins_over_a_timer_that_fires_at_the_same_time() {
        let output = block_on(with_timeout(pin!(ready(())), pin!(ready(1))));
        assert_eq!(output, Some(1));
    }

    #[test]
    fn timer_ends_a_call_that_does_not_complete() {
        let output = block_on(with_timeout(pin!(ready(())), pin!(pending::<i32>())));
        assert_eq!(output, None);
    }
}

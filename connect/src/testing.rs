//! A runtime and a transport in memory, for tests of services. Needs the feature `testing`.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;

use crate::client::Transport;
use crate::error::Error;
use crate::runtime::Runtime;
use crate::unix_millis::UnixMillis;

/// Runtime with a clock that stands still until a test moves it. Clones share clock and timers.
///
/// Timers never fire, unless [`TestRuntime::fire_timers`] lets all of them fire at once.
///
/// ```
/// use std::time::Duration;
///
/// use connect::UnixMillis;
/// use connect::testing::TestRuntime;
///
/// let runtime = TestRuntime::default();
/// let clone = runtime.clone();
/// runtime.set_now(UnixMillis::from_millis(5_000));
/// runtime.advance(Duration::from_secs(1));
/// assert_eq!(clone.now(), UnixMillis::from_millis(6_000));
/// ```
#[derive(Clone, Debug, Default)]
pub struct TestRuntime(Rc<State>);

#[derive(Debug, Default)]
struct State {
    now: Cell<UnixMillis>,
    timers_fire: Cell<bool>,
}

impl TestRuntime {
    /// Returns the time that the clock shows.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.0.now.get()
    }

    /// Sets the clock.
    pub fn set_now(&self, now: UnixMillis) {
        self.0.now.set(now);
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.set_now(self.now() + duration);
    }

    /// Makes timers that are polled from now on fire at once (`true`) or never (`false`).
    pub fn fire_timers(&self, fire: bool) {
        self.0.timers_fire.set(fire);
    }

    async fn timer(&self) {
        poll_fn(|_| {
            if self.0.timers_fire.get() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

impl Runtime for TestRuntime {
    fn now(&self) -> UnixMillis {
        Self::now(self)
    }

    async fn sleep(&self, _: Duration) {
        self.timer().await;
    }
}

/// Transport whose other end is a function, such as a generated router.
///
/// ```
/// use connect::bytes::Bytes;
/// use connect::testing::{Loopback, TestRuntime};
/// use connect::{Error, Transport as _, error_response, http};
///
/// let transport = Loopback {
///     runtime: TestRuntime::default(),
///     serve: async |_| Ok(error_response(&Error::unavailable("overloaded"))),
/// };
/// let request = http::Request::new(Bytes::new());
/// let response = futures_executor::block_on(transport.send(request)).unwrap();
/// assert_eq!(response.status(), 503);
/// ```
#[derive(Clone, Debug)]
pub struct Loopback<F> {
    /// Runtime whose timers end calls.
    pub runtime: TestRuntime,
    /// Function that returns the response to a request.
    pub serve: F,
}

impl<F> Transport for Loopback<F>
where
    F: AsyncFn(http::Request<Bytes>) -> Result<http::Response<Bytes>, Error>,
{
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        (self.serve)(request).await
    }

    async fn sleep(&self, _: Duration) {
        self.runtime.timer().await;
    }
}

//! A host and a transport in memory, for tests of services: feature `testing`.

use std::cell::Cell;
use std::future::{pending, ready};
use std::time::Duration;

use bytes::Bytes;

use crate::{Error, Host, Transport};

/// A host whose time passes only when it is told to.
#[derive(Debug, Default)]
pub struct TestHost {
    /// The time, in milliseconds since the Unix epoch.
    pub now_ms: Cell<i64>,
    /// Whether every timer goes off at once instead of never.
    pub timers_fire: Cell<bool>,
}

impl TestHost {
    /// Lets time pass.
    pub fn advance_ms(&self, milliseconds: i64) {
        self.now_ms.set(self.now_ms.get() + milliseconds);
    }

    async fn timer(&self) {
        if self.timers_fire.get() {
            ready(()).await
        } else {
            pending().await
        }
    }
}

impl Host for &TestHost {
    fn now_ms(&self) -> i64 {
        self.now_ms.get()
    }

    async fn sleep(&self, _: Duration) {
        self.timer().await;
    }
}

/// A transport whose other end is a function: a generated router, or what answers in its place.
#[derive(Debug)]
pub struct Loopback<'a, F> {
    /// Whose timers end calls.
    pub host: &'a TestHost,
    /// Answers requests.
    pub serve: F,
}

impl<F> Transport for Loopback<'_, F>
where
    F: AsyncFn(http::Request<Bytes>) -> Result<http::Response<Bytes>, Error>,
{
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        (self.serve)(request).await
    }

    async fn sleep(&self, _: Duration) {
        self.host.timer().await;
    }
}

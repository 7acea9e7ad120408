//! The runtime as a host of calls.

use std::time::Duration;

use connect::{Runtime, UnixMillis};
use worker::js_sys;

use crate::promise::Sleep;

/// Clock and timer of the runtime.
#[derive(Clone, Copy, Debug)]
pub struct WorkerHost;

impl Runtime for WorkerHost {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the clock counts whole milliseconds"
    )]
    fn now(&self) -> UnixMillis {
        UnixMillis::from_millis(js_sys::Date::now() as i64)
    }

    async fn sleep(&self, duration: Duration) {
        Sleep::new(duration).await;
    }
}

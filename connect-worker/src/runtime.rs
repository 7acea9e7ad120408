//! Clock and timer of the Workers runtime.

use std::time::Duration;

use connect::{Runtime, UnixMillis};
use worker::js_sys;

use crate::js::Sleep;

/// [`Runtime`] of Cloudflare Workers.
///
/// ```no_run
/// use std::time::Duration;
///
/// use connect::Runtime as _;
/// use connect_worker::WorkerRuntime;
///
/// async fn backed_off_until() -> connect::UnixMillis {
///     WorkerRuntime.sleep(Duration::from_millis(50)).await;
///     WorkerRuntime.now()
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WorkerRuntime;

impl Runtime for WorkerRuntime {
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

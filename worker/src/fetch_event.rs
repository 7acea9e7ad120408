//! The fetch event without its request. Each method is a call into JavaScript, so callers use one
//! only where they need its result.

use wasm_bindgen::{JsCast as _, JsValue};
use worker::Context;

/// A fetch event.
#[derive(Debug)]
pub(crate) struct FetchEvent(JsValue);

impl FetchEvent {
    /// Wraps the event of `connect_worker::serve`.
    pub(crate) fn new(event: JsValue) -> Self {
        Self(event)
    }

    /// Lets a task run on after the response.
    pub(crate) fn wait_until(&self, task: impl Future<Output = ()> + 'static) {
        let context: worker::worker_sys::Context =
            connect_worker::event_context(&self.0).unchecked_into();
        Context::new(context).wait_until(task);
    }

    /// Returns the `AbortSignal` that fires when the caller has gone: Cloudflare's edge sees that
    /// at once, workerd only if the connection was reset.
    pub(crate) fn abort_signal(&self) -> JsValue {
        connect_worker::abort_signal(&self.0)
    }
}

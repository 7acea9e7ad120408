//! What the runtime tells of a fetch event beside the request: asked only where it is needed, as each question is
//! a call into JavaScript.

use wasm_bindgen::{JsCast as _, JsValue};
use worker::Context;

/// A fetch event.
#[derive(Debug)]
pub struct Event(JsValue);

impl Event {
    /// That of `connect_worker::serve`.
    #[must_use]
    pub fn new(event: JsValue) -> Self {
        Self(event)
    }

    /// Lets work go on after the answer.
    pub fn wait_until(&self, work: impl Future<Output = ()> + 'static) {
        let context: worker::worker_sys::Context =
            connect_worker::context(&self.0).unchecked_into();
        Context::new(context).wait_until(work);
    }

    /// What tells that the caller has gone, an `AbortSignal`: Cloudflare's edge sees that at once, workerd only if the connection was
    /// reset.
    #[must_use]
    pub fn signal(&self) -> JsValue {
        connect_worker::signal(&self.0)
    }
}

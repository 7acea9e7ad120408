//! The port `Runtime`: clock, timer and background tasks.

use std::rc::Rc;
use std::time::Duration;

use connect::UnixMillis;
use connect_worker::{WorkerRuntime, run_future};
use coral_discovery::ports::Runtime;
use wasm_bindgen::JsValue;

use crate::fetch_event::FetchEvent;

/// The runtime of a fetch event, or of an object.
#[derive(Clone, Debug)]
pub(crate) struct HostRuntime {
    event: Option<Rc<FetchEvent>>,
}

impl HostRuntime {
    /// Returns the runtime of a fetch event, whose context keeps background tasks alive.
    pub(crate) fn of_event(event: FetchEvent) -> Self {
        Self {
            event: Some(Rc::new(event)),
        }
    }

    /// Returns the runtime of an object, whose pending I/O keeps it alive.
    pub(crate) fn of_object() -> Self {
        Self { event: None }
    }

    /// Returns the `AbortSignal` of the event; `undefined` in an object.
    pub(crate) fn abort_signal(&self) -> JsValue {
        let event = self.event.as_ref();
        event.map_or(JsValue::UNDEFINED, |event| event.abort_signal())
    }
}

impl connect::Runtime for HostRuntime {
    fn now(&self) -> UnixMillis {
        WorkerRuntime.now()
    }

    async fn sleep(&self, duration: Duration) {
        WorkerRuntime.sleep(duration).await;
    }
}

impl Runtime for HostRuntime {
    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        match &self.event {
            Some(event) => event.wait_until(task),
            None => {
                run_future(&JsValue::UNDEFINED, async move {
                    task.await;
                    JsValue::UNDEFINED
                });
            }
        }
    }
}

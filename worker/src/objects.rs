//! The channel to Durable Objects: encoded calls by the runtime's RPC, and waits over WebSockets.

use std::cell::OnceCell;
use std::time::Duration;

use connect_worker::durable_object;
use coral_discovery::registry_client::{ChannelError, ObjectChannel};
use wasm_bindgen::JsValue;
use worker::Env;
use worker::js_sys::Reflect;

use crate::bindings::binding;
use crate::mailbox;
use crate::runtime::HostRuntime;

/// The binding of the objects in `wrangler.toml`.
const BINDING: &str = "REGISTRY";

/// The registry's Durable Objects.
#[derive(Clone, Debug)]
pub(crate) struct DurableObjects {
    namespace: JsValue,
    runtime: HostRuntime,
}

impl DurableObjects {
    /// Returns the objects of the binding `REGISTRY`, which is read once in an isolate's life.
    ///
    /// # Errors
    /// The missing binding, when `wrangler.toml` has none.
    pub(crate) fn new(env: &Env, runtime: &HostRuntime) -> Result<Self, String> {
        thread_local! {
            static NAMESPACE: OnceCell<JsValue> = const { OnceCell::new() };
        }
        let namespace = NAMESPACE.with(|known| match known.get() {
            Some(namespace) => Some(namespace.clone()),
            None => {
                let namespace = binding(env, BINDING)?;
                Some(known.get_or_init(|| namespace).clone())
            }
        });
        Ok(Self {
            namespace: namespace.ok_or_else(|| format!("{BINDING} must be bound"))?,
            runtime: runtime.clone(),
        })
    }
}

impl ObjectChannel for DurableObjects {
    async fn send(&self, object: &str, call: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let reply = durable_object::call(&self.namespace, object, call).await;
        reply.map_err(|error| to_channel_error(&error))
    }

    async fn wait_for_records(
        &self,
        object: &str,
        mesh_id: &str,
        wait: Duration,
    ) -> Result<Vec<u8>, ChannelError> {
        let signal = self.runtime.abort_signal();
        let records = mailbox::wait(&self.namespace, object, mesh_id, wait, &signal).await;
        records.map_err(|error| to_channel_error(&error))
    }
}

fn to_channel_error(error: &JsValue) -> ChannelError {
    ChannelError {
        retryable: is_marked(error, "retryable"),
        overloaded: is_marked(error, "overloaded"),
        cause: worker::Error::from(error.clone()).to_string(),
    }
}

/// Returns whether the platform has marked its error so.
fn is_marked(error: &JsValue, mark: &str) -> bool {
    let mark = Reflect::get(error, &JsValue::from_str(mark));
    mark.is_ok_and(|mark| mark.is_truthy())
}

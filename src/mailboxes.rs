//! Waiting for messages at the object that keeps them, without keeping the object in memory meanwhile.
//!
//! What other ways would cost is in `docs/rendezvous.md`.

use std::rc::Rc;
use std::time::Duration;

use connect::Error;
use connect_worker::Promised;
use prost::Message as _;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use worker::Env;
use worker::js_sys::Uint8Array;

use crate::addressing::mesh_object;
use crate::event::Event;
use crate::isolate::Isolate;
use crate::meter::Meter;
use crate::objects;
use crate::protos::coral::registry::v1::CollectResponse;
use crate::registry::client::Mailboxes;

#[wasm_bindgen(module = "/src/mailboxes.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = startWait)]
    fn start_wait(
        namespace: &JsValue,
        name: &str,
        mesh_id: &str,
        milliseconds: u32,
        signal: &JsValue,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = promiseOf)]
    fn promise_of(wait: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = cancelWait)]
    fn cancel_wait(wait: &JsValue);
    #[wasm_bindgen(catch, js_name = isAwaited)]
    fn is_awaited_at(context: &JsValue, mesh_id: &str) -> Result<bool, JsValue>;
    #[wasm_bindgen(catch)]
    fn deliver(context: &JsValue, mesh_id: &str, messages: &[u8]) -> Result<(), JsValue>;
}

/// The mailboxes of one request.
#[derive(Debug)]
pub struct WorkerMailboxes {
    /// The bindings.
    pub env: Rc<Env>,
    /// What tells that the caller has gone.
    pub event: Rc<Event>,
    /// The isolate's memory.
    pub isolate: Rc<Isolate>,
    /// Notes what is used.
    pub meter: Rc<Meter>,
}

/// A wait, which ends when nobody is interested any more.
struct Wait(JsValue);

impl Drop for Wait {
    fn drop(&mut self) {
        cancel_wait(&self.0);
    }
}

impl Mailboxes for WorkerMailboxes {
    async fn wait(&self, mesh_id: &str, wait: Duration) -> Result<CollectResponse, Error> {
        let failed = |cause: JsValue| {
            let cause = worker::Error::from(cause);
            Error::unavailable("messages cannot be read now, try again").with_cause(cause)
        };
        let namespace = objects::namespace(&self.env).map_err(Error::internal)?;
        let name = mesh_object(mesh_id, self.isolate.config.shards);
        let milliseconds = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        self.meter.note(|usage| usage.object_requests += 1);
        let wait = start_wait(
            &namespace,
            &name,
            mesh_id,
            milliseconds,
            &self.event.signal(),
        );
        let wait = Wait(wait.map_err(failed)?);
        let messages = Promised::new(&promise_of(&wait.0)).await.map_err(failed)?;
        let messages = messages.dyn_into::<Uint8Array>();
        let messages = messages.map_or_else(|_| Vec::new(), |messages| messages.to_vec());
        let messages = CollectResponse::decode(messages.as_slice())
            .map_err(|error| Error::internal("the messages cannot be read").with_cause(error))?;
        let rows = u64::try_from(messages.messages.len()).unwrap_or(u64::MAX);
        self.meter
            .note(|usage| usage.rows_read = usage.rows_read.saturating_add(rows));
        Ok(messages)
    }
}

/// Whether somebody waits for the messages of a mesh at the object whose context that is.
#[must_use]
pub fn is_awaited(context: &JsValue, mesh_id: &str) -> bool {
    is_awaited_at(context, mesh_id).unwrap_or(false)
}

/// Sends messages to all who wait for those of a mesh at the object whose context that is.
pub fn send(context: &JsValue, mesh_id: &str, messages: &CollectResponse) {
    // One that cannot be reached any more closes by itself, and asks again.
    let _ = deliver(context, mesh_id, &messages.encode_to_vec());
}

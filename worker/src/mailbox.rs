//! Waiting for rendezvous records at the object that keeps them, without keeping the object in
//! memory meanwhile. `docs/rendezvous.md` compares the costs of other ways.

use std::time::Duration;

use connect_worker::PromiseFuture;
use coral_registry::proto::MailboxRecords;
use prost::Message as _;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use worker::js_sys::Uint8Array;

#[wasm_bindgen(module = "/js/mailbox.js")]
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
    #[wasm_bindgen(catch, js_name = hasWaiters)]
    fn has_waiters_in(context: &JsValue, mesh_id: &str) -> Result<bool, JsValue>;
    #[wasm_bindgen(catch, js_name = notifyWaiters)]
    fn notify_waiters_in(context: &JsValue, mesh_id: &str, records: &[u8]) -> Result<(), JsValue>;
}

/// A wait, cancelled when it is dropped.
struct Wait(JsValue);

impl Drop for Wait {
    fn drop(&mut self) {
        cancel_wait(&self.0);
    }
}

/// Waits for the records of a mesh at the object `name`, until `signal` fires. Returns encoded
/// `MailboxRecords`, empty when the time is over.
///
/// # Errors
/// The exception of the runtime or of the object.
pub(crate) async fn wait(
    namespace: &JsValue,
    name: &str,
    mesh_id: &str,
    wait: Duration,
    signal: &JsValue,
) -> Result<Vec<u8>, JsValue> {
    let milliseconds = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
    let wait = Wait(start_wait(namespace, name, mesh_id, milliseconds, signal)?);
    let records = PromiseFuture::new(&promise_of(&wait.0)).await?;
    let records = records.dyn_into::<Uint8Array>();
    Ok(records.map_or_else(|_| Vec::new(), |records| records.to_vec()))
}

/// Returns whether a poll waits for the records of a mesh at the object with that context.
pub(crate) fn has_waiters(context: &JsValue, mesh_id: &str) -> bool {
    has_waiters_in(context, mesh_id).unwrap_or(false)
}

/// Sends records to all polls that wait for those of a mesh at the object with that context.
pub(crate) fn notify_waiters(context: &JsValue, mesh_id: &str, records: &MailboxRecords) {
    // A poll that cannot be reached any more ends by itself, and the client polls again.
    let _ = notify_waiters_in(context, mesh_id, &records.encode_to_vec());
}

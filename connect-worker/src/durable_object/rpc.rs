//! Both ends of the call `stub.call(message)`, whose argument and result are `ArrayBuffer`s.

use bytes::Bytes;
use wasm_bindgen::JsValue;

use crate::js::{PromiseFuture, bindings, run_future};

/// Calls the object `name` of `namespace` and returns its reply.
///
/// ```no_run
/// use connect_worker::durable_object;
/// use wasm_bindgen::JsValue;
///
/// async fn increment(counters: &JsValue, name: &str) -> Result<Vec<u8>, JsValue> {
///     durable_object::call(counters, name, b"increment").await
/// }
/// ```
///
/// # Errors
/// The exception that the runtime or the object throws.
pub async fn call(namespace: &JsValue, name: &str, message: &[u8]) -> Result<Vec<u8>, JsValue> {
    let (start, length) = bindings::memory_span(message);
    let reply = PromiseFuture::new(&bindings::call_object(namespace, name, start, length)?).await?;
    Ok(bindings::to_bytes(&reply))
}

/// Handles one call inside an object and returns the reply for JavaScript, or a promise of it.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
///
/// use connect_worker::durable_object;
/// use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
///
/// #[wasm_bindgen]
/// pub struct Counter(Rc<Cell<u64>>);
///
/// #[wasm_bindgen]
/// impl Counter {
///     pub fn call(&self, message: Vec<u8>) -> JsValue {
///         let count = Rc::clone(&self.0);
///         durable_object::handle_call(message, async move |_message| {
///             count.set(count.get() + 1);
///             count.get().to_be_bytes().to_vec()
///         })
///     }
/// }
/// ```
pub fn handle_call<F>(message: Vec<u8>, handler: impl FnOnce(Bytes) -> F) -> JsValue
where
    F: Future<Output = Vec<u8>> + 'static,
{
    let reply = handler(message.into());
    run_future(&JsValue::UNDEFINED, async move {
        let reply = reply.await;
        let (start, length) = bindings::memory_span(&reply);
        bindings::copy_memory(start, length)
    })
}

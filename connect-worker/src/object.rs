//! Calls into Durable Objects, as methods of the runtime's own RPC: what a request by `fetch` would cost
//! more is in `docs/performance.md`.
//!
//! What crosses over is a Connect call all the same, so that both ends are generated code, in the form of
//! `message.rs`:
//!
//! ```text
//! stub.ask(message)  ->  message      each an ArrayBuffer
//! ```

use bytes::Bytes;
use wasm_bindgen::JsValue;

use crate::promise::Promised;
use crate::{message, runtime, task};

/// Sends a request to the object of that name.
///
/// # Errors
/// What the runtime throws, or the object.
pub async fn call(
    namespace: &JsValue,
    name: &str,
    request: &http::Request<Bytes>,
) -> Result<http::Response<Bytes>, JsValue> {
    let message = message::from_call(request);
    let (start, length) = runtime::place(&message);
    let answer = runtime::call(namespace, name, start, length)?;
    drop(message);
    let answer = Promised::new(&answer).await?;
    Ok(message::to_answer(runtime::bytes(&answer).into()))
}

/// Answers what [`call`] sends. For a method `ask(message)` of the object's class.
pub fn answer_call<F>(message: Vec<u8>, answer: impl FnOnce(http::Request<Bytes>) -> F) -> JsValue
where
    F: Future<Output = http::Response<Bytes>> + 'static,
{
    let answer = answer(message::to_call(message.into()));
    task::run(&JsValue::UNDEFINED, async move {
        let message = message::from_answer(&answer.await);
        let (start, length) = runtime::place(&message);
        runtime::answer_call(start, length)
    })
}

//! Calls into Durable Objects, as methods of the runtime's own RPC: what a request by `fetch` would cost
//! more is in `docs/performance.md`.
//!
//! What crosses over is a Connect call all the same, so that both ends are generated code:
//!
//! ```text
//! stub.call(head, body)  ->  [head, body]
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
    let head = message::call_head(request);
    let answer = runtime::call(namespace, name, &head, request.body())?;
    let answer = Promised::new(&answer).await?;
    let body = runtime::body_of(&answer);
    Ok(message::answer(
        &runtime::head_of(&answer).into(),
        body.into(),
    ))
}

/// Answers what [`call`] sends. For a method `call(head, body)` of the object's class.
pub fn answer_call<F>(
    head: String,
    body: Vec<u8>,
    answer: impl FnOnce(http::Request<Bytes>) -> F,
) -> JsValue
where
    F: Future<Output = http::Response<Bytes>> + 'static,
{
    let answer = answer(message::call_request(&head.into(), body.into()));
    task::run(&JsValue::UNDEFINED, async move {
        let answer = answer.await;
        runtime::answer_call(&message::answer_head(&answer), answer.body())
    })
}

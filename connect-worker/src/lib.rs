//! Serves Connect on Cloudflare Workers. [`serve`] handles the fetch event, [`WorkerRuntime`] is
//! the clock and timer, [`FetchTransport`] calls other servers, and [`durable_object`] calls
//! Durable Objects.
//!
//! `examples/greeter` is a whole Worker.
//!
//! ```
//! # mod greeter_service {
//! #     pub async fn route<R, B>(
//! #         _: &super::Handlers,
//! #         _: &connect::Server<R>,
//! #         _: http::Request<B>,
//! #     ) -> http::Response<bytes::Bytes> {
//! #         http::Response::default()
//! #     }
//! # }
//! # pub struct Handlers;
//! use std::time::Duration;
//!
//! use connect::{Limits, Server};
//! use connect_worker::{WorkerRuntime, serve};
//! use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
//!
//! const LIMITS: Limits = Limits {
//!     max_message_bytes: 64 * 1024,
//!     max_timeout: Duration::from_secs(30),
//!     gzip_from_bytes: Some(1024),
//! };
//!
//! #[wasm_bindgen]
//! pub fn fetch(event: &JsValue, _env: JsValue) -> JsValue {
//!     serve(event, async |request| {
//!         let server = Server::new(WorkerRuntime, LIMITS);
//!         greeter_service::route(&Handlers, &server, request).await
//!     })
//! }
//! # fn main() {}
//! ```

// Generated code names this crate: both must compile under a user's own lints.
#![warn(clippy::pedantic)]

pub mod durable_object;
mod fetch;
mod js;
mod runtime;

use bytes::Bytes;
use connect::ReceivedAt;
use wasm_bindgen::JsValue;

use crate::fetch::{body, http_text, response_head};
use crate::js::bindings;

pub use crate::fetch::FetchTransport;
pub use crate::fetch::body::RequestBody;
pub use crate::js::{PromiseFuture, run_future};
pub use crate::runtime::WorkerRuntime;

/// Handles a fetch event and returns its response, or a promise of it if the handler has to wait.
///
/// The event's context outlives the promise, so a call that has begun is completed even if its
/// client has gone.
///
/// ```
/// use bytes::Bytes;
/// use connect_worker::serve;
/// use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
///
/// #[wasm_bindgen]
/// pub fn fetch(event: &JsValue, _env: JsValue) -> JsValue {
///     serve(event, async |request| {
///         let path = request.uri().path().to_owned();
///         http::Response::new(Bytes::from(path))
///     })
/// }
/// ```
pub fn serve<F>(event: &JsValue, handler: impl FnOnce(http::Request<RequestBody>) -> F) -> JsValue
where
    F: Future<Output = http::Response<Bytes>> + 'static,
{
    let mut head = Bytes::from(bindings::event_head(event));
    let received_at = http_text::split_time(&mut head);
    let mut request = http_text::parse_request(&head, RequestBody::of_event(event));
    request.body_mut().length = body::content_length(request.headers());
    if let Some(received_at) = received_at {
        request.extensions_mut().insert(ReceivedAt(received_at));
    }
    let response = handler(request);
    run_future(&event_context(event), async move {
        to_js_response(&response.await)
    })
}

/// Returns the context of a fetch event, for [`run_future`].
#[must_use]
pub fn event_context(event: &JsValue) -> JsValue {
    bindings::event_context(event)
}

/// Returns the `AbortSignal` of a fetch event, which fires when the client disconnects.
#[must_use]
pub fn abort_signal(event: &JsValue) -> JsValue {
    bindings::abort_signal(event)
}

/// Converts a response to JavaScript's `Response`. The body is encoded as its `Content-Encoding`
/// says, so the runtime does not encode it again.
fn to_js_response(response: &http::Response<Bytes>) -> JsValue {
    let lines = http_text::format_headers(response.headers());
    let create = |status, lines, body| {
        let (start, length) = bindings::memory_span(body);
        bindings::create_response(response_head::index_of(status, lines)?, start, length)
    };
    create(response.status().as_u16(), lines, response.body())
        // JavaScript rejects a status or header that `http` accepts.
        .or_else(|_| create(500, String::new(), &[]))
        .unwrap_or(JsValue::UNDEFINED)
}

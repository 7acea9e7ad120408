//! Serves Connect from Cloudflare Workers: the runtime's requests, answers, clock and timer, in
//! the terms of the crate `connect`. `examples/greeter` is a whole Worker that does so.
//!
//! ```ignore
//! #[wasm_bindgen]
//! pub fn fetch(event: &JsValue, _env: JsValue) -> JsValue {
//!     serve(event, async |request| {
//!         let server = Server::new(WorkerHost, LIMITS);
//!         greeter::route(&Handlers, &server, request).await
//!     })
//! }
//! ```

mod body;
mod fetch;
mod head;
mod host;
mod message;
mod object;
mod promise;
mod runtime;
mod task;

use bytes::Bytes;
use connect::{ReceivedAt, UnixMillis};
use http::header;
use wasm_bindgen::JsValue;

pub use crate::body::RequestBody;
pub use crate::fetch::Fetch;
pub use crate::host::WorkerHost;
pub use crate::object::{answer_call, call};
pub use crate::promise::Promised;
pub use crate::task::run;

/// Answers a fetch event, at once or behind a promise, which the event's context outlives: a call that was
/// begun is ended even if its caller has gone.
pub fn serve<F>(event: &JsValue, answer: impl FnOnce(http::Request<RequestBody>) -> F) -> JsValue
where
    F: Future<Output = http::Response<Bytes>> + 'static,
{
    let mut head = Bytes::from(runtime::head(event));
    let received_at_ms = message::take_number(&mut head);
    let body = RequestBody {
        event: event.clone(),
        read: runtime::take_body(event).map(Bytes::from),
        length: None,
    };
    let mut request = message::request(&head, body);
    // What comes in chunks may be longer than it says.
    if !request.headers().contains_key(header::TRANSFER_ENCODING) {
        let length = request.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        request.body_mut().length = length;
    }
    if let Some(received_at_ms) = received_at_ms {
        let received_at = ReceivedAt(UnixMillis::from_millis(received_at_ms));
        request.extensions_mut().insert(received_at);
    }
    let answer = answer(request);
    task::run(&context(event), async move { to_response(&answer.await) })
}

/// The context of a fetch event.
#[must_use]
pub fn context(event: &JsValue) -> JsValue {
    runtime::context_of(event)
}

/// What tells that whoever made a fetch event's request has gone: an `AbortSignal`.
#[must_use]
pub fn signal(event: &JsValue) -> JsValue {
    runtime::signal_of(event)
}

/// An answer in the terms of the runtime. What `Content-Encoding` says is already done.
fn to_response(answer: &http::Response<Bytes>) -> JsValue {
    let lines = message::header_lines(answer.headers());
    let respond = |status, lines, body| {
        let (start, length) = runtime::place(body);
        runtime::respond(head::number(status, lines)?, start, length)
    };
    respond(answer.status().as_u16(), lines, answer.body())
        // It refuses a status or a header that `http` takes: what is left says no more than that.
        .or_else(|_| respond(500, String::new(), &[]))
        .unwrap_or(JsValue::UNDEFINED)
}

//! Fetch events and the runtime's `fetch`: requests in, and requests to other servers.

pub(crate) mod body;
pub(crate) mod http_text;
pub(crate) mod response_head;

use std::time::Duration;

use bytes::Bytes;
use connect::{Error, Runtime as _, Transport};
use wasm_bindgen::JsValue;

use crate::js::{PromiseFuture, bindings};
use crate::runtime::WorkerRuntime;

/// [`Transport`] of clients that call other servers with the runtime's `fetch`.
///
/// It does not follow redirects, and aborts the request of a call that is dropped.
///
/// ```
/// use connect::{Client, Codec};
/// use connect_worker::FetchTransport;
///
/// let max_response_bytes = 64 * 1024;
/// let transport = FetchTransport { max_response_bytes };
/// let client = Client::new(transport, "https://example.com", Codec::Proto, max_response_bytes);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FetchTransport {
    /// Largest response body in bytes, after decompression. A longer one is an error.
    pub max_response_bytes: usize,
}

impl Transport for FetchTransport {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        let post = PendingPost::start(&request, self.max_response_bytes);
        let posted = PromiseFuture::new(&post.promise).await.map_err(|error| {
            Error::unavailable("the server did not respond").with_cause(worker::Error::from(error))
        })?;
        let body = bindings::posted_body(&posted);
        let head = bindings::posted_head(&posted).into();
        Ok(http_text::parse_response(&head, body.into()))
    }

    async fn sleep(&self, duration: Duration) {
        WorkerRuntime.sleep(duration).await;
    }
}

/// Request in flight, aborted on drop.
struct PendingPost {
    promise: JsValue,
    controller: JsValue,
}

impl PendingPost {
    fn start(request: &http::Request<Bytes>, limit: usize) -> Self {
        let controller = bindings::create_abort_controller();
        let url = request.uri().to_string();
        let lines = http_text::format_headers(request.headers());
        let body = request.body().to_vec();
        Self {
            promise: bindings::post_request(&url, &lines, body, limit, &controller),
            controller,
        }
    }
}

impl Drop for PendingPost {
    /// Aborts the request. This has no effect once the response is complete.
    fn drop(&mut self) {
        bindings::abort(&self.controller);
    }
}

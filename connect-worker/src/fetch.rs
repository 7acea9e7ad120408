//! Calls to servers elsewhere, over HTTP.

use std::time::Duration;

use bytes::Bytes;
use connect::{Error, Runtime as _, Transport};
use wasm_bindgen::JsValue;

use crate::host::WorkerHost;
use crate::promise::Promised;
use crate::{message, runtime};

/// The runtime's `fetch`, for clients of servers on the Internet. Redirects are not followed, and a call that
/// nobody waits for any more is broken off.
#[derive(Clone, Copy, Debug)]
pub struct Fetch {
    /// How many bytes an answer may have, inflated: a longer one is an error.
    pub max_answer_bytes: usize,
}

impl Transport for Fetch {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        let exchange = Exchange::begin(&request, self.max_answer_bytes);
        let answer = Promised::new(&exchange.answer).await.map_err(|error| {
            Error::unavailable("the server does not answer").with_cause(worker::Error::from(error))
        })?;
        let body = runtime::body_of(&answer);
        Ok(message::foreign_answer(
            &runtime::head_of(&answer).into(),
            body.into(),
        ))
    }

    async fn sleep(&self, duration: Duration) {
        WorkerHost.sleep(duration).await;
    }
}

/// A request that is under way, and broken off when this is dropped.
struct Exchange {
    answer: JsValue,
    controller: JsValue,
}

impl Exchange {
    fn begin(request: &http::Request<Bytes>, limit: usize) -> Self {
        let controller = runtime::controller();
        let url = request.uri().to_string();
        let head = message::header_lines(request.headers());
        let body = request.body().to_vec();
        Self {
            answer: runtime::exchange(&url, &head, body, limit, &controller),
            controller,
        }
    }
}

impl Drop for Exchange {
    /// After its end this does nothing.
    fn drop(&mut self) {
        runtime::abort(&self.controller);
    }
}

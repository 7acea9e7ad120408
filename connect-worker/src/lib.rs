//! Serves Connect from Cloudflare Workers: the runtime's requests, answers, clock and timer, in
//! the terms of the crate `connect`. `examples/greeter` is a whole Worker that does so.
//!
//! ```ignore
//! #[event(fetch)]
//! async fn fetch(request: Request, _: Env, _: Context) -> worker::Result<Response> {
//!     let server = Server::new(WorkerHost, LIMITS);
//!     let answer = greeter::route(&Handlers, &server, to_http(request)).await;
//!     to_worker(answer)
//! }
//! ```

use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use connect::{Body, Host, ReadError};
use futures_util::TryStreamExt as _;
use futures_util::future::select;
use http::{HeaderMap, HeaderName, HeaderValue};
use worker::{Date, Delay, EncodeBody, Headers, Request, Response, ResponseBuilder};

/// Clock and timer of the runtime.
#[derive(Clone, Copy, Debug)]
pub struct WorkerHost;

/// What the timer can wait at most: beyond it `setTimeout` would wrap and fire at once.
const LONGEST_SLEEP: Duration = Duration::from_millis(i32::MAX as u64);

/// How much of a body, and for how long, is thrown away before an answer: what does not end soon
/// is not worth the connection that it would save.
const DISCARDED_BYTES: usize = 1024 * 1024;
/// See [`DISCARDED_BYTES`].
const DISCARDING: Duration = Duration::from_secs(1);

impl Host for WorkerHost {
    fn now_ms(&self) -> i64 {
        i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX)
    }

    async fn sleep(&self, duration: Duration) {
        Delay::from(duration.min(LONGEST_SLEEP)).await;
    }
}

/// A request's body, not yet read.
#[derive(Debug)]
pub struct RequestBody(Request);

impl Body for RequestBody {
    async fn read(mut self, limit: usize) -> Result<Bytes, ReadError> {
        let broken = |error: worker::Error| ReadError::Broken(error.to_string());
        // With its length told, the whole of it comes in one piece.
        let length = self.0.headers().get("content-length").ok().flatten();
        if length.is_some_and(|length| length.parse().is_ok_and(|length: usize| length <= limit)) {
            return self.0.bytes().await.map(Bytes::from).map_err(broken);
        }
        if self.0.inner().body().is_none() {
            return Ok(Bytes::new());
        }
        let mut stream = self.0.stream().map_err(broken)?;
        let mut read = BytesMut::new();
        while let Some(chunk) = stream.try_next().await.map_err(broken)? {
            if read.len().saturating_add(chunk.len()) > limit {
                return Err(ReadError::TooLarge);
            }
            read.extend_from_slice(&chunk);
        }
        Ok(read.freeze())
    }

    async fn discard(mut self) {
        let Ok(mut stream) = self.0.stream() else {
            return;
        };
        let discarding = pin!(async {
            let mut discarded = 0;
            while let Ok(Some(chunk)) = stream.try_next().await {
                discarded += chunk.len();
                if discarded > DISCARDED_BYTES {
                    return;
                }
            }
        });
        select(discarding, pin!(WorkerHost.sleep(DISCARDING))).await;
    }
}

/// A request in the terms of the crate `http`. Headers that it cannot hold are left out.
#[must_use]
pub fn to_http(request: Request) -> http::Request<RequestBody> {
    let method = request.inner().method();
    let url = request.inner().url();
    let headers = to_header_map(request.headers());
    let mut converted = http::Request::new(RequestBody(request));
    // What is no method to `http` is none that we serve; a host that is none does not matter.
    *converted.method_mut() = http::Method::from_bytes(method.as_bytes()).unwrap_or_default();
    let path = || format!("/{}", url.splitn(4, '/').nth(3).unwrap_or_default());
    let uri = url.parse().or_else(|_| path().parse());
    *converted.uri_mut() = uri.unwrap_or_default();
    *converted.headers_mut() = headers;
    converted
}

/// An answer in the terms of the runtime. What `Content-Encoding` says is already done.
///
/// # Errors
/// When the runtime refuses a header.
pub fn to_worker(answer: http::Response<Bytes>) -> worker::Result<Response> {
    let (parts, body) = answer.into_parts();
    let headers = Headers::new();
    for (name, value) in &parts.headers {
        headers.append(name.as_str(), &String::from_utf8_lossy(value.as_bytes()))?;
    }
    let builder = ResponseBuilder::new()
        .with_status(parts.status.as_u16())
        .with_headers(headers)
        .with_encode_body(EncodeBody::Manual);
    Ok(if body.is_empty() {
        builder.empty()
    } else {
        builder.fixed(body.into())
    })
}

/// Not `From<&Headers>`, which panics on a value that is not ASCII.
#[must_use]
pub fn to_header_map(headers: &Headers) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers.entries() {
        let name = HeaderName::try_from(name);
        let value = HeaderValue::try_from(value);
        if let (Ok(name), Ok(value)) = (name, value) {
            map.append(name, value);
        }
    }
    map
}

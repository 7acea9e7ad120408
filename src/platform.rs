//! The Workers runtime: its requests, answers, clock and timer, as the rest of the code knows
//! them.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use connect::{Body, Host, ReadError};
use futures_util::TryStreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use worker::{Date, Delay, EncodeBody, Headers, Request, Response, ResponseBuilder};

/// Clock and timer of the runtime.
#[derive(Clone, Copy, Debug)]
pub struct WorkerHost;

/// What the timer can wait at most: beyond it `setTimeout` would wrap and fire at once.
const LONGEST_SLEEP: Duration = Duration::from_millis(i32::MAX as u64);

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
        // With its length told, and checked before this, the whole of it comes in one piece.
        if self.0.headers().has("content-length").unwrap_or(false) {
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
        // What does not end soon is not worth the connection that it would save.
        const LIMIT: usize = 1024 * 1024;
        let Ok(mut stream) = self.0.stream() else {
            return;
        };
        let mut discarded = 0;
        while let Ok(Some(chunk)) = stream.try_next().await {
            discarded += chunk.len();
            if discarded > LIMIT {
                return;
            }
        }
    }
}

/// A request in the terms of the crate `http`. Headers that it cannot hold are left out.
pub fn to_http(request: Request) -> http::Request<RequestBody> {
    let method = request.inner().method();
    let url = request.inner().url();
    let headers = to_header_map(request.headers());
    let mut converted = http::Request::new(RequestBody(request));
    // What is no method or no URL to `http` is none that we serve.
    *converted.method_mut() = http::Method::from_bytes(method.as_bytes()).unwrap_or_default();
    *converted.uri_mut() = url.parse().unwrap_or_default();
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

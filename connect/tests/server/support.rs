//! Calls to a server in memory.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use connect::testing::TestRuntime;
use connect::wkt::Timestamp;
use connect::{
    Body, CallInfo, Context, Error, Idempotency, Limits, Message, Method, ReadError, Response,
    Server,
};
use futures_executor::block_on;
use http::{HeaderValue, Request};

pub(crate) static WRITE: Method = Method {
    path: "/test.v1.Clock/Set",
    service: "test.v1.Clock",
    name: "Set",
    idempotency: Idempotency::Unknown,
    deprecated: false,
};

pub(crate) static READ: Method = Method {
    path: "/test.v1.Clock/Get",
    service: "test.v1.Clock",
    name: "Get",
    idempotency: Idempotency::NoSideEffects,
    deprecated: false,
};

pub(crate) const LIMITS: Limits = Limits {
    max_message_bytes: 100,
    max_timeout: Duration::from_secs(30),
    gzip_from_bytes: Some(40),
};

/// Body that records whether it is read or discarded.
pub(crate) struct RecordedBody<'a> {
    content: &'a [u8],
    usage: &'a Cell<&'static str>,
}

impl Body for RecordedBody<'_> {
    async fn read(self, limit: usize) -> Result<Bytes, ReadError> {
        self.usage.set("read");
        Bytes::copy_from_slice(self.content).read(limit).await
    }

    async fn discard(self) {
        self.usage.set("discarded");
    }
}

/// Response with the usage of the request's body: `untouched`, `read` or `discarded`.
pub(crate) struct TestResponse {
    pub(crate) http: http::Response<Bytes>,
    pub(crate) body_usage: &'static str,
}

impl TestResponse {
    /// Returns the value of a header; empty if it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.http
            .headers()
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn body(&self) -> &str {
        std::str::from_utf8(self.http.body()).unwrap()
    }

    pub(crate) fn info(&self) -> &CallInfo {
        self.http.extensions().get().unwrap()
    }
}

/// Creates a POST request of [`WRITE`].
pub(crate) fn request(
    content: &'static str,
    headers: &[(&'static str, &str)],
) -> Request<&'static [u8]> {
    let mut request = Request::post(WRITE.path).body(content.as_bytes()).unwrap();
    for (name, value) in headers {
        request
            .headers_mut()
            .append(*name, HeaderValue::from_str(value).unwrap());
    }
    request
}

/// Calls a server whose only method is `method`.
pub(crate) fn call<M: Message>(
    runtime: &TestRuntime,
    method: &'static Method,
    request: Request<&[u8]>,
    handler: impl AsyncFnOnce(&Context, M) -> Result<Response<M>, Error>,
) -> TestResponse {
    let usage = Cell::new("untouched");
    let request = request.map(|content| RecordedBody {
        content,
        usage: &usage,
    });
    let http = block_on(Server::new(runtime.clone(), LIMITS).unary(method, request, handler));
    TestResponse {
        http,
        body_usage: usage.get(),
    }
}

/// Handler that returns its request.
pub(crate) async fn echo(_: &Context, message: Timestamp) -> Result<Response<Timestamp>, Error> {
    Ok(message.into())
}

/// Handler that must not be called.
pub(crate) async fn never(_: &Context, _: Timestamp) -> Result<Response<Timestamp>, Error> {
    panic!("the handler was called")
}

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");
pub(crate) const PROTO: (&str, &str) = ("content-type", "application/proto");
pub(crate) const MOMENT: &str = "\"2026-01-02T03:04:05Z\"";

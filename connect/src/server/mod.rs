//! Unary calls at the server.

mod accept;
mod error_response;
mod get_query;
mod read_message;
mod success_response;

use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};

use self::accept::{AcceptedCall, MessageSource, accept};
use self::error_response::call_error_response;
use self::read_message::read_message;
use self::success_response::success_response;
use crate::body::Body;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::Message;
use crate::method::Method;
use crate::response::Response;
use crate::runtime::{Runtime, with_timeout};

pub use self::error_response::{CallInfo, error_response};

/// Limits of a [`Server`] for each call.
///
/// ```
/// use std::time::Duration;
///
/// use connect::Limits;
///
/// const LIMITS: Limits = Limits {
///     max_message_bytes: 64 * 1024,
///     max_timeout: Duration::from_secs(30),
///     gzip_from_bytes: Some(1024),
/// };
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest request message in bytes, both as sent and after decompression.
    pub max_message_bytes: usize,
    /// Longest timeout of a call; a longer one is shortened to it. A call without a timeout sets
    /// no timer and ends when the platform's own limits end it.
    pub max_timeout: Duration,
    /// Smallest response message in bytes that is compressed for clients that accept gzip.
    /// `None` compresses nothing, for platforms whose edge compresses.
    pub gzip_from_bytes: Option<usize>,
}

/// Server of the Connect protocol. One server serves any number of services.
///
/// Generated routers call it with the method that a request's path names:
///
/// ```
/// use std::time::Duration;
///
/// use connect::testing::TestRuntime;
/// use connect::wkt::StringValue;
/// use connect::{Idempotency, Limits, Method, Response, Server, bytes::Bytes, http};
///
/// static GREET: Method = Method {
///     path: "/greeter.v1.GreeterService/Greet",
///     service: "greeter.v1.GreeterService",
///     name: "Greet",
///     idempotency: Idempotency::Unknown,
///     deprecated: false,
/// };
///
/// let limits = Limits {
///     max_message_bytes: 1_000,
///     max_timeout: Duration::from_secs(30),
///     gzip_from_bytes: None,
/// };
/// let server = Server::new(TestRuntime::default(), limits);
/// let request = http::Request::post(GREET.path)
///     .header("content-type", "application/json")
///     .body(Bytes::from(r#""Ada""#))
///     .unwrap();
/// let response = futures_executor::block_on(server.unary(
///     &GREET,
///     request,
///     async |_cx: &_, name: StringValue| {
///         let value = format!("Hello, {}!", name.value);
///         Ok(Response::from(StringValue { value }))
///     },
/// ));
/// assert_eq!(response.body(), r#""Hello, Ada!""#);
/// ```
#[derive(Debug)]
pub struct Server<R> {
    runtime: R,
    limits: Limits,
}

impl<R: Runtime> Server<R> {
    /// Creates a server that uses the clock and the timer of `runtime`.
    #[must_use]
    pub fn new(runtime: R, limits: Limits) -> Self {
        Self { runtime, limits }
    }

    /// Serves a call of `method` with `handler`. Generated routers call this.
    ///
    /// Checks come in connect-go's order: verb, codec, compression, version, timeout, size,
    /// decompression, decoding; then the handler runs within its deadline.
    pub async fn unary<Req, Res, B, F>(
        &self,
        method: &'static Method,
        request: http::Request<B>,
        handler: F,
    ) -> http::Response<Bytes>
    where
        Req: Message,
        Res: Message,
        B: Body,
        F: AsyncFnOnce(&Context, Req) -> Result<Response<Res>, Error>,
    {
        let is_get = request.method() == http::Method::GET;
        let max_timeout = self.limits.max_timeout;
        let mut response = match accept(&self.runtime, max_timeout, method, request).await {
            Ok((call, source)) => self.respond(call, source, handler).await,
            Err(response) => *response,
        };
        if is_get {
            // Without the header, caches keep even a 404. A handler may set it.
            let headers = response.headers_mut();
            let entry = headers.entry(header::CACHE_CONTROL);
            entry.or_insert(HeaderValue::from_static("no-store"));
        }
        response
    }

    /// Reads the message, runs the handler and encodes its response.
    ///
    /// Reading counts towards the deadline: a client that sends slowly has no more time than
    /// others.
    async fn respond<Req, Res, B, F>(
        &self,
        call: AcceptedCall,
        source: MessageSource<B>,
        handler: F,
    ) -> http::Response<Bytes>
    where
        Req: Message,
        Res: Message,
        B: Body,
        F: AsyncFnOnce(&Context, Req) -> Result<Response<Res>, Error>,
    {
        let limits = &self.limits;
        let response = pin!(async {
            let message = read_message(&call, source, limits.max_message_bytes).await?;
            let message = call.codec.decode::<Req>(&message)?;
            handler(&call.context, message).await
        });
        let result = self.run_before(call.context.deadline, response).await;
        let encoded = result.and_then(|response| {
            Ok(Response {
                message: call.codec.encode(&response.message)?,
                headers: response.headers,
                trailers: response.trailers,
            })
        });
        match encoded {
            Ok(response) => success_response(&call, response, limits.gzip_from_bytes),
            Err(error) => call_error_response(Some(call.context.method), Some(call.codec), &error),
        }
    }

    /// Responds to a path that no service has: status 404, and the error `unimplemented` that
    /// clients derive from it. Generated routers call this.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use connect::testing::TestRuntime;
    /// use connect::{Limits, Server, bytes::Bytes, http};
    ///
    /// let limits = Limits {
    ///     max_message_bytes: 1_000,
    ///     max_timeout: Duration::from_secs(30),
    ///     gzip_from_bytes: None,
    /// };
    /// let server = Server::new(TestRuntime::default(), limits);
    /// let request = http::Request::post("/greeter.v1.GreeterService/Leave").body(Bytes::new());
    /// let response = server.unknown_path(request.unwrap());
    /// assert_eq!(futures_executor::block_on(response).status(), 404);
    /// ```
    pub async fn unknown_path<B: Body>(&self, request: http::Request<B>) -> http::Response<Bytes> {
        let error = Error::unimplemented(format!("no such method: {}", request.uri().path()));
        request.into_body().discard().await;
        let mut response = error_response(&error);
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
    }

    async fn run_before<T>(
        &self,
        deadline: Option<Deadline>,
        call: Pin<&mut impl Future<Output = Result<T, Error>>>,
    ) -> Result<T, Error> {
        let Some(deadline) = deadline else {
            return call.await;
        };
        let remaining = deadline.remaining(self.runtime.now());
        let sleep = pin!(self.runtime.sleep(remaining));
        with_timeout(sleep, call)
            .await
            .unwrap_or_else(|| Err(accept::deadline_exceeded()))
    }
}

//! A unary call at the server, in the order in which connect-go checks it.

use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};

use crate::answer::{error_response, failed_call, http_error};
use crate::compression::{self, Compression};
use crate::get::Query;
use crate::host::with_timeout;
use crate::{
    Body, CallInfo, Codec, Context, Deadline, Error, Idempotency, Message, Method, Peer, ReadError,
    ReceivedAt, Response, Runtime, metadata, timeout,
};

/// What a [`Server`] allows a call to take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a request's message, both as sent and after inflating.
    pub max_message_bytes: usize,
    /// The longest deadline that is kept; a longer one is cut to it. A call without one costs no
    /// timer and ends when the host's own limits end it.
    pub max_timeout: Duration,
    /// From how many bytes an answer is compressed for a client that accepts gzip.
    /// `None`: never, for hosts whose edge compresses.
    pub gzip_from_bytes: Option<usize>,
}

/// The protocol at the server. One serves any number of services.
#[derive(Debug)]
pub struct Server<R> {
    runtime: R,
    limits: Limits,
}

const VERSION: HeaderName = HeaderName::from_static("connect-protocol-version");
const ACCEPT_POST: HeaderValue = HeaderValue::from_static("application/json, application/proto");

/// A call whose protocol is in order, with its message not yet read.
struct Call {
    context: Context,
    codec: Codec,
    compression: Compression,
    accepts_gzip: bool,
    is_get: bool,
}

/// Where a call's message is.
enum MessageSource<B> {
    Body(B),
    Query(Query),
}

impl<R: Runtime> Server<R> {
    /// Creates a server on `runtime`.
    #[must_use]
    pub fn new(runtime: R, limits: Limits) -> Self {
        Self { runtime, limits }
    }

    /// Answers a call of `method` with `handler`. Generated routers call this.
    ///
    /// The order of checks is connect-go's: verb, codec, compression, version, timeout, size,
    /// inflating, decoding; then the handler within its deadline.
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
        let mut answer = match self.accept(method, request).await {
            Ok((call, source)) => self.answer(call, source, handler).await,
            Err(answer) => *answer,
        };
        if is_get {
            // A 404 too is kept by caches that are not told otherwise; a handler may.
            let headers = answer.headers_mut();
            let entry = headers.entry(header::CACHE_CONTROL);
            entry.or_insert(HeaderValue::from_static("no-store"));
        }
        answer
    }

    /// All of it within the call's deadline: a client that sends slowly has no more time than others.
    async fn answer<Req, Res, B, F>(
        &self,
        call: Call,
        source: MessageSource<B>,
        handler: F,
    ) -> http::Response<Bytes>
    where
        Req: Message,
        Res: Message,
        B: Body,
        F: AsyncFnOnce(&Context, Req) -> Result<Response<Res>, Error>,
    {
        let answer = pin!(async {
            let message = self.read(&call, source).await?;
            let message = call.codec.decode::<Req>(&message)?;
            handler(&call.context, message).await
        });
        let answer = self.before_deadline(call.context.deadline, answer).await;
        let encoded = answer.and_then(|answer| {
            Ok(Response {
                message: call.codec.encode(&answer.message)?,
                headers: answer.headers,
                trailers: answer.trailers,
            })
        });
        match encoded {
            Ok(answer) => self.success(&call, answer),
            Err(error) => failed_call(Some(call.context.method), Some(call.codec), &error),
        }
    }

    /// Answers a path that no service has: 404, and in the body what a client makes of it.
    pub async fn unknown_path<B: Body>(&self, request: http::Request<B>) -> http::Response<Bytes> {
        let error = Error::unimplemented(format!("no such method: {}", request.uri().path()));
        request.into_body().discard().await;
        let mut answer = error_response(&error);
        *answer.status_mut() = StatusCode::NOT_FOUND;
        answer
    }

    /// Takes a request as far as its message, or answers it at once.
    async fn accept<B: Body>(
        &self,
        method: &'static Method,
        request: http::Request<B>,
    ) -> Result<(Call, MessageSource<B>), Box<http::Response<Bytes>>> {
        let (mut parts, body) = request.into_parts();
        let allows_get = method.idempotency == Idempotency::NoSideEffects;
        let query = match parts.method {
            http::Method::POST => None,
            http::Method::GET if allows_get => {
                Some(Query::parse(parts.uri.query().unwrap_or_default()))
            }
            _ => {
                body.discard().await;
                let allow = if allows_get { "GET, POST" } else { "POST" };
                let allow = HeaderValue::from_static(allow);
                let status = StatusCode::METHOD_NOT_ALLOWED;
                return Err(http_error(method, status, header::ALLOW, allow));
            }
        };
        let codec = match &query {
            Some(query) => query.codec(),
            None => text(&parts.headers, &header::CONTENT_TYPE).and_then(Codec::from_content_type),
        };
        let Some(codec) = codec else {
            body.discard().await;
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            let accept_post = HeaderName::from_static("accept-post");
            return Err(http_error(method, status, accept_post, ACCEPT_POST));
        };
        let (compression, deadline) = match self.negotiate(&parts, query.as_ref()) {
            Ok(negotiated) => negotiated,
            Err(error) => {
                body.discard().await;
                return Err(Box::new(failed_call(Some(method), Some(codec), &error)));
            }
        };
        let accepts_gzip =
            Compression::accepts_gzip(text(&parts.headers, &header::ACCEPT_ENCODING));
        let call = Call {
            context: Context {
                method,
                headers: parts.headers,
                peer: parts.extensions.remove::<Peer>(),
                deadline,
            },
            codec,
            compression,
            accepts_gzip,
            is_get: query.is_some(),
        };
        let source = match query {
            Some(query) => MessageSource::Query(query),
            None => MessageSource::Body(body),
        };
        Ok((call, source))
    }

    /// What the headers say about how to read the message and how long to take.
    fn negotiate(
        &self,
        parts: &Parts,
        query: Option<&Query>,
    ) -> Result<(Compression, Option<Deadline>), Error> {
        let compression = match query {
            Some(query) => query.compression()?,
            None => Compression::from_name(text(&parts.headers, &header::CONTENT_ENCODING))?,
        };
        if let Some(query) = query {
            query.check_version()?;
        }
        match metadata::first(&parts.headers, &VERSION) {
            // Missing is fine: people with curl need not know it.
            "" | "1" => {}
            other => {
                return Err(Error::invalid_argument(format!(
                    r#"Connect-Protocol-Version must be "1": got {other:?}"#
                )));
            }
        }
        let timeout = timeout::parse(&parts.headers)?;
        let Some(timeout) = timeout else {
            return Ok((compression, None));
        };
        let now = self.runtime.now();
        let received_at = parts.extensions.get::<ReceivedAt>();
        let received_at = received_at.map_or(now, |ReceivedAt(time)| *time);
        let deadline = Deadline::after(received_at, timeout.min(self.limits.max_timeout));
        if deadline.remaining(now).is_zero() {
            return Err(timed_out());
        }
        Ok((compression, Some(deadline)))
    }

    /// Reads the message, inflated.
    async fn read<B: Body>(&self, call: &Call, source: MessageSource<B>) -> Result<Bytes, Error> {
        let message = match source {
            MessageSource::Query(query) => query.message()?,
            MessageSource::Body(body) => self.read_body(call.context.headers(), body).await?,
        };
        call.compression
            .decompress(message, self.limits.max_message_bytes)
    }

    /// Reads the body of a POST, if it is not announced as too large.
    async fn read_body<B: Body>(&self, headers: &HeaderMap, body: B) -> Result<Bytes, Error> {
        let limit = self.limits.max_message_bytes;
        // In 64 bits also where `usize` has 32; what is not even that is too large as well.
        let announced = text(headers, &header::CONTENT_LENGTH);
        let is_too_large = announced.is_some_and(|length| {
            let length = length.parse::<u64>().unwrap_or(u64::MAX);
            usize::try_from(length).map_or(true, |length| length > limit)
        });
        if is_too_large {
            body.discard().await;
            return Err(compression::too_large(limit));
        }
        body.read(limit).await.map_err(|error| match error {
            ReadError::TooLarge => compression::too_large(limit),
            ReadError::Broken(why) => {
                Error::invalid_argument("the request's body broke off").with_cause(why)
            }
        })
    }

    async fn before_deadline<T>(
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
            .unwrap_or_else(|| Err(timed_out()))
    }

    fn success(&self, call: &Call, answer: Response<Bytes>) -> http::Response<Bytes> {
        let content_type = HeaderValue::from_static(call.codec.content_type());
        let mut sent = http::Response::new(answer.message);
        sent.headers_mut()
            .insert(header::CONTENT_TYPE, content_type);
        if call.is_get {
            // Two clients of one cache may read different encodings (as connect-go).
            let vary = HeaderValue::from_static("Accept-Encoding");
            sent.headers_mut().insert(header::VARY, vary);
        }
        let is_worth_it = self
            .limits
            .gzip_from_bytes
            .is_some_and(|bytes| call.accepts_gzip && sent.body().len() >= bytes);
        if let Some(gzipped) = is_worth_it
            .then(|| compression::gzip(sent.body()))
            .flatten()
        {
            *sent.body_mut() = gzipped;
            let gzip = HeaderValue::from_static("gzip");
            sent.headers_mut().insert(header::CONTENT_ENCODING, gzip);
        }
        metadata::append_headers(sent.headers_mut(), &answer.headers);
        metadata::append_trailers(sent.headers_mut(), &answer.trailers);
        sent.extensions_mut().insert(CallInfo {
            method: Some(call.context.method),
            codec: Some(call.codec),
            code: None,
            cause: None,
        });
        sent
    }
}

fn timed_out() -> Error {
    Error::deadline_exceeded("the deadline passed before the answer was there")
}

fn text<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

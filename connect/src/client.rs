//! A unary call at the client.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::compression::{self, Compression};
use crate::host::with_timeout;
use crate::{Code, Codec, Error, Message, Method, Response, metadata, timeout};

/// Carries HTTP for a client: over a network, or into a Durable Object.
#[allow(
    async_fn_in_trait,
    reason = "an isolate has one thread: futures need not be Send"
)]
pub trait Transport {
    /// Sends a request and reads the whole answer. The request's extensions hold the
    /// `&'static Method` that is called, so that a transport knows what it may send twice.
    ///
    /// # Errors
    /// When there was no answer; `unavailable` if trying again may help.
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error>;

    /// Returns after `duration`: the timer behind [`CallOptions::timeout`].
    async fn sleep(&self, duration: Duration);
}

/// The protocol at the client. Generated clients wrap it.
#[derive(Clone, Debug)]
pub struct Client<T> {
    transport: T,
    base_url: String,
    codec: Codec,
    max_message_bytes: usize,
}

/// What one call asks for beyond its message.
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    /// Metadata to send.
    pub headers: HeaderMap,
    /// How long to wait; the server is told too. `None`: as long as it takes.
    pub timeout: Option<Duration>,
    /// Compress the request if that makes it smaller.
    pub gzip: bool,
}

impl<T: Transport> Client<T> {
    /// A client of the services at `base_url` (scheme and authority, no slash at the end)
    /// that reads answers of at most `max_message_bytes`.
    pub fn new(
        transport: T,
        base_url: impl Into<String>,
        codec: Codec,
        max_message_bytes: usize,
    ) -> Self {
        Self {
            transport,
            base_url: base_url.into(),
            codec,
            max_message_bytes,
        }
    }

    /// Calls `method`. Generated clients call this.
    ///
    /// # Errors
    /// The server's error, or one that says why there was no answer.
    pub async fn unary<Req: Message, Res: Message>(
        &self,
        method: &'static Method,
        message: &Req,
        options: CallOptions,
    ) -> Result<Response<Res>, Error> {
        let request = self.request(method, self.codec.encode(message)?, &options)?;
        let sent = pin!(self.transport.send(request));
        let answer = match options.timeout {
            None => sent.await?,
            Some(timeout) => match with_timeout(pin!(self.transport.sleep(timeout)), sent).await {
                Some(answer) => answer?,
                None => return Err(Error::deadline_exceeded("no answer within the timeout")),
            },
        };
        let answer = self.receive(answer)?;
        Ok(Response {
            message: self.codec.decode(&answer.message).map_err(|error| {
                Error::internal("the server's answer cannot be read").with_cause(error)
            })?,
            headers: answer.headers,
            trailers: answer.trailers,
        })
    }

    fn request(
        &self,
        method: &'static Method,
        message: Bytes,
        options: &CallOptions,
    ) -> Result<http::Request<Bytes>, Error> {
        let gzipped = options.gzip.then(|| compression::gzip(&message)).flatten();
        let is_gzip = gzipped.is_some();
        let mut request = http::Request::post(format!("{}{}", self.base_url, method.path))
            .body(gzipped.unwrap_or(message))
            .map_err(|error| Error::internal("the base URL is wrong").with_cause(error))?;
        request.extensions_mut().insert(method);
        let headers = request.headers_mut();
        let content_type = HeaderValue::from_static(self.codec.content_type());
        headers.insert(header::CONTENT_TYPE, content_type);
        headers.insert("connect-protocol-version", HeaderValue::from_static("1"));
        if is_gzip {
            let gzip = HeaderValue::from_static("gzip");
            headers.insert(header::CONTENT_ENCODING, gzip);
        }
        if let Some(timeout) = options.timeout {
            headers.insert(timeout::HEADER, timeout::format(timeout));
        }
        metadata::append_headers(headers, &options.headers);
        Ok(request)
    }

    /// Undoes what the server did to a message, or reads its error.
    fn receive(&self, answer: http::Response<Bytes>) -> Result<Response<Bytes>, Error> {
        let (parts, body) = answer.into_parts();
        let header = |name| parts.headers.get(name).and_then(|v| v.to_str().ok());
        let (leading, trailing) = metadata::split(&parts.headers);
        let compression =
            Compression::from_name(header(header::CONTENT_ENCODING)).map_err(|error| {
                Error::internal("the server's answer is compressed").with_cause(error)
            })?;
        let body = compression.decompress(body, self.max_message_bytes)?;
        let codec = header(header::CONTENT_TYPE).and_then(Codec::from_content_type);
        if parts.status == StatusCode::OK {
            if codec != Some(self.codec) {
                return Err(
                    Error::unknown("the server's answer has another content type")
                        .with_cause(format!("{codec:?}")),
                );
            }
            return Ok(Response {
                message: body,
                headers: leading,
                trailers: trailing,
            });
        }
        // Not every error is a Connect server's: a proxy's page is judged by its status.
        let code = Code::from_http_status(parts.status);
        let mut error = match codec {
            Some(Codec::Json) => Error::from_json(&body, code),
            _ => None,
        }
        .unwrap_or_else(|| Error::new(code, format!("HTTP status {}", parts.status)));
        *error.headers_mut() = leading;
        *error.trailers_mut() = trailing;
        Err(error)
    }
}

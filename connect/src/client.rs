//! Unary calls at the client.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::code::Code;
use crate::codec::Codec;
use crate::compression::{self, Compression};
use crate::error::Error;
use crate::message::Message;
use crate::method::Method;
use crate::response::Response;
use crate::runtime::with_timeout;
use crate::{metadata, timeout_header};

/// HTTP transport of a [`Client`].
///
/// ```
/// use std::time::Duration;
///
/// use connect::{Error, Transport, bytes::Bytes, http};
///
/// /// Transport of a client that is offline.
/// struct Offline;
///
/// impl Transport for Offline {
///     async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
///         Err(Error::unavailable("offline"))
///     }
///
///     async fn sleep(&self, _: Duration) {
///         std::future::pending().await
///     }
/// }
/// ```
#[allow(
    async_fn_in_trait,
    reason = "an isolate has one thread: futures need not be Send"
)]
pub trait Transport {
    /// Sends a request and reads the whole response.
    ///
    /// The request's extensions contain the `&'static Method`, which says whether the transport
    /// may send a request twice.
    ///
    /// # Errors
    /// The reason for which there is no response; `unavailable` if a retry may succeed.
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error>;

    /// Waits for `duration`. [`CallOptions::timeout`] uses this timer.
    async fn sleep(&self, duration: Duration);
}

/// Client of the Connect protocol. Generated clients wrap it.
///
/// ```
/// use connect::testing::{Loopback, TestRuntime};
/// use connect::wkt::StringValue;
/// use connect::{CallOptions, Client, Codec, Error, Idempotency, Method, http};
///
/// static GREET: Method = Method {
///     path: "/greeter.v1.GreeterService/Greet",
///     service: "greeter.v1.GreeterService",
///     name: "Greet",
///     idempotency: Idempotency::Unknown,
///     deprecated: false,
/// };
///
/// // In place of a server on the network:
/// let transport = Loopback {
///     runtime: TestRuntime::default(),
///     serve: async |request: http::Request<_>| {
///         assert_eq!(request.uri(), "https://example.com/greeter.v1.GreeterService/Greet");
///         Ok(http::Response::builder()
///             .header("content-type", "application/json")
///             .body(r#""Hello!""#.into())
///             .unwrap())
///     },
/// };
/// let client = Client::new(transport, "https://example.com", Codec::Json, 64 * 1024);
/// # futures_executor::block_on(async {
/// let request = StringValue { value: "Ada".to_owned() };
/// let response = client.unary(&GREET, &request, CallOptions::default()).await?;
/// let StringValue { value } = response.message;
/// assert_eq!(value, "Hello!");
/// # Ok::<_, Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Client<T> {
    transport: T,
    base_url: String,
    codec: Codec,
    max_message_bytes: usize,
}

/// Options of one call.
///
/// ```
/// use std::time::Duration;
///
/// use connect::CallOptions;
///
/// let options = CallOptions {
///     timeout: Some(Duration::from_secs(2)),
///     ..CallOptions::default()
/// };
/// assert!(options.headers.is_empty() && !options.gzip);
/// ```
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    /// Metadata to send as HTTP headers.
    pub headers: HeaderMap,
    /// Time to wait for the response, which is also sent to the server. `None` waits forever.
    pub timeout: Option<Duration>,
    /// Compresses the request if that makes it smaller.
    pub gzip: bool,
}

impl<T: Transport> Client<T> {
    /// Creates a client of the services at `base_url`: scheme and authority without a slash at
    /// the end. Responses of more than `max_message_bytes` are rejected.
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
    /// The server's error, or the reason for which there is no response.
    pub async fn unary<Req: Message, Res: Message>(
        &self,
        method: &'static Method,
        message: &Req,
        options: CallOptions,
    ) -> Result<Response<Res>, Error> {
        let request = self.request(method, self.codec.encode(message)?, &options)?;
        let sent = pin!(self.transport.send(request));
        let response = match options.timeout {
            None => sent.await?,
            Some(timeout) => match with_timeout(pin!(self.transport.sleep(timeout)), sent).await {
                Some(response) => response?,
                None => return Err(Error::deadline_exceeded("no response within the timeout")),
            },
        };
        let response = self.receive(response)?;
        Ok(Response {
            message: self.codec.decode(&response.message).map_err(|error| {
                Error::internal("the server's response cannot be decoded").with_cause(error)
            })?,
            headers: response.headers,
            trailers: response.trailers,
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
            .map_err(|error| Error::internal("the base URL is invalid").with_cause(error))?;
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
            headers.insert(timeout_header::NAME, timeout_header::format(timeout));
        }
        metadata::append_headers(headers, &options.headers);
        Ok(request)
    }

    /// Returns the encoded message of a response, decompressed, or the error in it.
    fn receive(&self, response: http::Response<Bytes>) -> Result<Response<Bytes>, Error> {
        let (parts, body) = response.into_parts();
        let header = |name| metadata::text_value(&parts.headers, &name);
        let (headers, trailers) = metadata::split(&parts.headers);
        let compression =
            Compression::from_name(header(header::CONTENT_ENCODING)).map_err(|error| {
                Error::internal("the server's response has an unsupported encoding")
                    .with_cause(error)
            })?;
        let body = compression.decompress(body, self.max_message_bytes)?;
        let codec = header(header::CONTENT_TYPE).and_then(Codec::from_content_type);
        if parts.status == StatusCode::OK {
            if codec != Some(self.codec) {
                let error = Error::unknown("the server's response has another content type");
                return Err(error.with_cause(format!("{codec:?}")));
            }
            return Ok(Response {
                message: body,
                headers,
                trailers,
            });
        }
        // Without a Connect error, such as in a proxy's page, the status decides.
        let code = Code::from_http_status(parts.status);
        let mut error = match codec {
            Some(Codec::Json) => Error::from_json(&body, code),
            _ => None,
        }
        .unwrap_or_else(|| Error::new(code, format!("HTTP status {}", parts.status)));
        *error.headers_mut() = headers;
        *error.trailers_mut() = trailers;
        Err(error)
    }
}

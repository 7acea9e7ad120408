//! HTTP responses of calls that failed, and the outcome of a call for the log.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::code::Code;
use crate::codec::Codec;
use crate::error::Error;
use crate::method::Method;
use crate::{compression, metadata};

/// Outcome of a call, for the log. Every response of a [`Server`](crate::Server) has it in its
/// extensions.
///
/// ```
/// use connect::{CallInfo, Code, Error, error_response};
///
/// let response = error_response(&Error::internal("try later").with_cause("disk full"));
/// let info = response.extensions().get::<CallInfo>().unwrap();
/// assert_eq!(info.code, Some(Code::Internal));
/// assert_eq!(info.cause.as_deref(), Some("try later: disk full"));
/// ```
#[derive(Clone, Debug)]
pub struct CallInfo {
    /// The method, if the path names one.
    pub method: Option<&'static Method>,
    /// The codec, if the request names a supported one.
    pub codec: Option<Codec>,
    /// The code of the error; `None` on success and for responses without a Connect error.
    pub code: Option<Code>,
    /// The text of [`Error::with_cause`]. If the server is to blame, the error's message stands
    /// in front of it.
    pub cause: Option<String>,
}

/// Returns the response of a platform that rejects a request before a router sees it.
///
/// ```
/// use connect::{Error, error_response};
///
/// let response = error_response(&Error::unauthenticated("no key"));
/// assert_eq!(response.status(), 401);
/// assert_eq!(response.body(), r#"{"code":"unauthenticated","message":"no key"}"#);
/// ```
#[must_use]
pub fn error_response(error: &Error) -> http::Response<Bytes> {
    call_error_response(None, None, error)
}

/// Returns the response of a failed call: JSON with either codec (Connect spec: "Error").
pub(super) fn call_error_response(
    method: Option<&'static Method>,
    codec: Option<Codec>,
    error: &Error,
) -> http::Response<Bytes> {
    let mut response = http::Response::new(error.to_json());
    *response.status_mut() = error.code().http_status();
    let headers = response.headers_mut();
    let json = HeaderValue::from_static(Codec::Json.content_type());
    headers.insert(header::CONTENT_TYPE, json);
    if error.code() == Code::Unimplemented {
        // A client whose compression is not supported learns which one is.
        let supported = HeaderValue::from_static(compression::SUPPORTED);
        headers.insert(header::ACCEPT_ENCODING, supported);
    }
    metadata::append_headers(headers, error.headers());
    metadata::append_trailers(headers, error.trailers());
    response.extensions_mut().insert(CallInfo {
        method,
        codec,
        code: Some(error.code()),
        cause: logged_cause(error),
    });
    response
}

/// Returns the text for the log. The message of a client error is omitted, as it may quote the
/// request.
fn logged_cause(error: &Error) -> Option<String> {
    let is_server_error = error.code().http_status().is_server_error();
    match (is_server_error, error.cause()) {
        (true, Some(cause)) => Some(format!("{}: {cause}", error.message())),
        (true, None) => Some(error.message().to_owned()),
        (false, cause) => cause.map(ToOwned::to_owned),
    }
}

/// Returns a response without a Connect error: a status, one header and no body, as connect-go.
// Clippy measures a response with the pointers of the target, and wasm32's are small.
#[allow(clippy::unnecessary_box_returns)]
pub(super) fn http_error(
    method: &'static Method,
    status: StatusCode,
    name: HeaderName,
    value: HeaderValue,
) -> Box<http::Response<Bytes>> {
    let mut response = http::Response::new(Bytes::new());
    *response.status_mut() = status;
    response.headers_mut().insert(name, value);
    response.extensions_mut().insert(CallInfo {
        method: Some(method),
        codec: None,
        code: None,
        cause: None,
    });
    Box::new(response)
}

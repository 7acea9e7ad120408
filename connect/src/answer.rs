//! Answers that are no message: errors, and what HTTP alone says.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::{Code, Codec, Error, Method, compression, metadata};

/// What became of a call, for the host's log. It stands in the extensions of the answer.
#[derive(Clone, Debug)]
pub struct CallInfo {
    /// The method, once it was recognised.
    pub method: Option<&'static Method>,
    /// The codec, once it was recognised.
    pub codec: Option<Codec>,
    /// The error's code; `None` on success and where HTTP alone answered.
    pub code: Option<Code>,
    /// What [`Error::with_cause`] noted, after the error's message if the server is to blame.
    pub cause: Option<String>,
}

/// The answer of a host that must refuse a request before any router sees it.
#[must_use]
pub fn error_response(error: &Error) -> http::Response<Bytes> {
    failed_call(None, None, error)
}

/// An error's answer: JSON whatever the call's codec was (Connect spec: "Error").
pub(crate) fn failed_call(
    method: Option<&'static Method>,
    codec: Option<Codec>,
    error: &Error,
) -> http::Response<Bytes> {
    let mut answer = http::Response::new(error.to_json());
    *answer.status_mut() = error.code().http_status();
    let headers = answer.headers_mut();
    let json = HeaderValue::from_static(Codec::Json.content_type());
    headers.insert(header::CONTENT_TYPE, json);
    if error.code() == Code::Unimplemented {
        // Tells a client that compressed in vain what it may use (P-41).
        let supported = HeaderValue::from_static(compression::SUPPORTED);
        headers.insert(header::ACCEPT_ENCODING, supported);
    }
    metadata::append_headers(headers, error.headers());
    metadata::append_trailers(headers, error.trailers());
    // A client's mistake is told to the client alone: the text may quote what it sent.
    let is_ours = error.code().http_status().is_server_error();
    let cause = match (is_ours, error.cause()) {
        (true, Some(cause)) => Some(format!("{}: {cause}", error.message())),
        (true, None) => Some(error.message().to_owned()),
        (false, cause) => cause.map(ToOwned::to_owned),
    };
    answer.extensions_mut().insert(CallInfo {
        method,
        codec,
        code: Some(error.code()),
        cause,
    });
    answer
}

/// An answer of HTTP alone: a status, one header and no body, as connect-go.
pub(crate) fn http_error(
    method: &'static Method,
    status: StatusCode,
    name: HeaderName,
    value: HeaderValue,
) -> Box<http::Response<Bytes>> {
    let mut answer = http::Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer.headers_mut().insert(name, value);
    answer.extensions_mut().insert(CallInfo {
        method: Some(method),
        codec: None,
        code: None,
        cause: None,
    });
    Box::new(answer)
}

//! HTTP responses of calls that succeeded.

use bytes::Bytes;
use http::{HeaderValue, header};

use super::accept::AcceptedCall;
use super::error_response::CallInfo;
use crate::response::Response;
use crate::{compression, metadata};

/// Returns the HTTP response for an encoded message, compressed if the client accepts gzip and
/// the message has at least `gzip_from_bytes`.
pub(super) fn success_response(
    call: &AcceptedCall,
    response: Response<Bytes>,
    gzip_from_bytes: Option<usize>,
) -> http::Response<Bytes> {
    let content_type = HeaderValue::from_static(call.codec.content_type());
    let mut sent = http::Response::new(response.message);
    sent.headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    if call.is_get {
        // Two clients of one cache may accept different encodings (as connect-go).
        let vary = HeaderValue::from_static("Accept-Encoding");
        sent.headers_mut().insert(header::VARY, vary);
    }
    let is_large = gzip_from_bytes.is_some_and(|bytes| sent.body().len() >= bytes);
    if call.accepts_gzip
        && is_large
        && let Some(gzipped) = compression::gzip(sent.body())
    {
        *sent.body_mut() = gzipped;
        let gzip = HeaderValue::from_static("gzip");
        sent.headers_mut().insert(header::CONTENT_ENCODING, gzip);
    }
    metadata::append_headers(sent.headers_mut(), &response.headers);
    metadata::append_trailers(sent.headers_mut(), &response.trailers);
    sent.extensions_mut().insert(CallInfo {
        method: Some(call.context.method),
        codec: Some(call.codec),
        code: None,
        cause: None,
    });
    sent
}

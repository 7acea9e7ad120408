//! Checks of a request up to its message.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts};

use super::error_response::{call_error_response, http_error};
use super::get_query::GetQuery;
use crate::body::Body;
use crate::codec::Codec;
use crate::compression::Compression;
use crate::context::{Context, Peer};
use crate::deadline::{Deadline, ReceivedAt};
use crate::error::Error;
use crate::metadata::{first_value, text_value};
use crate::method::{Idempotency, Method};
use crate::runtime::Runtime;
use crate::timeout_header;

const VERSION: HeaderName = HeaderName::from_static("connect-protocol-version");
const ACCEPT_POST: HeaderValue = HeaderValue::from_static("application/json, application/proto");

/// A call that passed all checks but those of its message.
pub(super) struct AcceptedCall {
    pub(super) context: Context,
    pub(super) codec: Codec,
    pub(super) compression: Compression,
    pub(super) accepts_gzip: bool,
    pub(super) is_get: bool,
}

/// The place of a call's message in its request.
pub(super) enum MessageSource<B> {
    Body(B),
    Query(GetQuery),
}

/// Checks a request up to its message. `max_timeout` shortens longer timeouts.
///
/// # Errors
/// The response to send when a check fails. The request's body is discarded by then.
pub(super) async fn accept<B: Body>(
    runtime: &impl Runtime,
    max_timeout: Duration,
    method: &'static Method,
    request: http::Request<B>,
) -> Result<(AcceptedCall, MessageSource<B>), Box<http::Response<Bytes>>> {
    let (mut parts, body) = request.into_parts();
    let allows_get = method.idempotency == Idempotency::NoSideEffects;
    let query = match parts.method {
        http::Method::POST => None,
        http::Method::GET if allows_get => {
            Some(GetQuery::parse(parts.uri.query().unwrap_or_default()))
        }
        _ => {
            body.discard().await;
            let allow = if allows_get { "GET, POST" } else { "POST" };
            let allow = HeaderValue::from_static(allow);
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Err(http_error(method, status, ALLOW, allow));
        }
    };
    let codec = match &query {
        Some(query) => query.codec(),
        None => text_value(&parts.headers, &CONTENT_TYPE).and_then(Codec::from_content_type),
    };
    let Some(codec) = codec else {
        body.discard().await;
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let accept_post = HeaderName::from_static("accept-post");
        return Err(http_error(method, status, accept_post, ACCEPT_POST));
    };
    let negotiated = negotiate(runtime, max_timeout, &parts, query.as_ref());
    let (compression, deadline) = match negotiated {
        Ok(negotiated) => negotiated,
        Err(error) => {
            body.discard().await;
            let response = call_error_response(Some(method), Some(codec), &error);
            return Err(Box::new(response));
        }
    };
    let accept_encoding = text_value(&parts.headers, &ACCEPT_ENCODING);
    let call = AcceptedCall {
        codec,
        compression,
        accepts_gzip: Compression::accepts_gzip(accept_encoding),
        is_get: query.is_some(),
        context: Context {
            method,
            headers: parts.headers,
            peer: parts.extensions.remove::<Peer>(),
            deadline,
        },
    };
    let source = match query {
        Some(query) => MessageSource::Query(query),
        None => MessageSource::Body(body),
    };
    Ok((call, source))
}

/// Returns the compression of the message and the deadline of the call.
fn negotiate(
    runtime: &impl Runtime,
    max_timeout: Duration,
    parts: &Parts,
    query: Option<&GetQuery>,
) -> Result<(Compression, Option<Deadline>), Error> {
    let compression = match query {
        Some(query) => query.compression()?,
        None => Compression::from_name(text_value(&parts.headers, &CONTENT_ENCODING))?,
    };
    if let Some(query) = query {
        query.check_version()?;
    }
    check_version(&parts.headers)?;
    let Some(timeout) = timeout_header::parse(&parts.headers)? else {
        return Ok((compression, None));
    };
    let now = runtime.now();
    let received_at = parts.extensions.get::<ReceivedAt>();
    let received_at = received_at.map_or(now, |ReceivedAt(time)| *time);
    let deadline = Deadline::after(received_at, timeout.min(max_timeout));
    if deadline.remaining(now).is_zero() {
        return Err(deadline_exceeded());
    }
    Ok((compression, Some(deadline)))
}

/// Checks the protocol version, which may be missing: people with curl need not know it.
fn check_version(headers: &HeaderMap) -> Result<(), Error> {
    match first_value(headers, &VERSION) {
        "" | "1" => Ok(()),
        other => Err(Error::invalid_argument(format!(
            r#"Connect-Protocol-Version must be "1": got {other:?}"#
        ))),
    }
}

/// Returns the error of a call whose deadline has passed.
pub(super) fn deadline_exceeded() -> Error {
    Error::deadline_exceeded("the deadline passed before the response was ready")
}

//! Metadata: headers that belong to clients and handlers, not to the protocol.

use http::header::{self, HeaderMap, HeaderName};

/// Prefix of the headers that carry a response's trailers (Connect spec: "Trailers").
const TRAILER_PREFIX: &str = "trailer-";

/// Returns whether only the protocol and HTTP itself may set a header. Metadata of such a name is
/// dropped, as connect-go does.
fn is_reserved(name: &HeaderName) -> bool {
    matches!(
        *name,
        header::ACCEPT_ENCODING
            | header::CONNECTION
            | header::CONTENT_ENCODING
            | header::CONTENT_LENGTH
            | header::CONTENT_TYPE
            | header::DATE
            | header::HOST
            | header::TRAILER
            | header::TRANSFER_ENCODING
            | header::USER_AGENT
    ) || name.as_str().starts_with("connect-")
}

/// Returns the first value of a header; empty if it is missing. Of values that a platform joined
/// with commas, it is the first too, as connect-go reads the protocol's headers.
pub(crate) fn first_value<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    let value = headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap_or("?"));
    value.split(',').next().unwrap_or_default().trim()
}

/// Returns the value of a header; `None` if it is missing or not text.
pub(crate) fn text_value<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Adds metadata as headers. Repeated headers stay repeated.
pub(crate) fn append_headers(target: &mut HeaderMap, metadata: &HeaderMap) {
    for (name, value) in metadata {
        if !is_reserved(name) {
            target.append(name, value.clone());
        }
    }
}

/// Adds metadata as trailers, that is headers with the prefix for trailers.
pub(crate) fn append_trailers(target: &mut HeaderMap, metadata: &HeaderMap) {
    for (name, value) in metadata {
        if is_reserved(name) {
            continue;
        }
        let prefixed = format!("{TRAILER_PREFIX}{name}");
        if let Ok(prefixed) = HeaderName::try_from(prefixed) {
            target.append(prefixed, value.clone());
        }
    }
}

/// Returns the headers and the trailers of a response, without the protocol's own headers.
pub(crate) fn split(headers: &HeaderMap) -> (HeaderMap, HeaderMap) {
    let mut leading = HeaderMap::new();
    let mut trailing = HeaderMap::new();
    for (name, value) in headers {
        let trailer = name
            .as_str()
            .strip_prefix(TRAILER_PREFIX)
            .and_then(|name| HeaderName::try_from(name).ok());
        match trailer {
            Some(name) => trailing.append(name, value.clone()),
            None if is_reserved(name) => false,
            None => leading.append(name, value.clone()),
        };
    }
    (leading, trailing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn map(entries: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in entries {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn metadata_round_trips_with_repeated_names() {
        let headers = map(&[("x-a", "1"), ("x-a", "2")]);
        let trailers = map(&[("x-a", "3"), ("x-b-bin", "AQ")]);
        let mut wire = map(&[("content-type", "application/proto")]);
        append_headers(&mut wire, &headers);
        append_trailers(&mut wire, &trailers);
        assert_eq!(wire.get("trailer-x-b-bin").unwrap(), "AQ");
        assert_eq!(split(&wire), (headers, trailers));
    }

    #[test]
    fn metadata_cannot_overwrite_protocol_headers() {
        let metadata = map(&[
            ("content-type", "text/html"),
            ("content-encoding", "br"),
            ("connect-protocol-version", "2"),
        ]);
        let mut wire = map(&[("content-type", "application/json")]);
        append_headers(&mut wire, &metadata);
        append_trailers(&mut wire, &metadata);
        assert_eq!(wire, map(&[("content-type", "application/json")]));
    }
}

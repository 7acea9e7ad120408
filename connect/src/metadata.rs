//! Metadata: the headers that belong to callers and handlers, not to the protocol.

use http::header::{self, HeaderMap, HeaderName};

/// Trailers of a unary answer travel as headers with this prefix (Connect spec: "Trailers").
const TRAILER_PREFIX: &str = "trailer-";

/// Headers that only the protocol and HTTP itself may set. A handler's metadata of these
/// names is dropped, as connect-go does.
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

/// The first value of a header, as connect-go reads its own: of several, and of those that a
/// platform has joined with commas. Empty when there is none.
pub(crate) fn first<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    let value = headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap_or("?"));
    value.split(',').next().unwrap_or_default().trim()
}

/// Returns the first value of a header; `None` if it is missing or not text.
pub(crate) fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Adds a handler's headers to an answer; repeated ones stay repeated (P-77).
pub(crate) fn append_headers(target: &mut HeaderMap, metadata: &HeaderMap) {
    for (name, value) in metadata {
        if !is_reserved(name) {
            target.append(name, value.clone());
        }
    }
}

/// Adds a handler's trailers to an answer, under their prefix.
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

/// The way back: an answer's headers and trailers, without those of the protocol.
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
    fn metadata_survives_the_wire_with_its_repetitions() {
        let headers = map(&[("x-a", "1"), ("x-a", "2")]);
        let trailers = map(&[("x-a", "3"), ("x-b-bin", "AQ")]);
        let mut wire = map(&[("content-type", "application/proto")]);
        append_headers(&mut wire, &headers);
        append_trailers(&mut wire, &trailers);
        assert_eq!(wire.get("trailer-x-b-bin").unwrap(), "AQ");
        assert_eq!(split(&wire), (headers, trailers));
    }

    #[test]
    fn a_handler_cannot_overwrite_the_protocol() {
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

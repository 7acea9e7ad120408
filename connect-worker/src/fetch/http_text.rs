//! Text form of requests and responses between JavaScript and Rust. Everything but the body crosses
//! as one text with a line per header: HTTP allows no line break in a value.

use bytes::{Buf as _, Bytes};
use connect::UnixMillis;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Uri};

/// Initial capacity for headers: more than clients send.
const HEADERS_CAPACITY: usize = 12;

/// Splits off the first line of a text, a time in milliseconds.
pub(crate) fn split_time(text: &mut Bytes) -> Option<UnixMillis> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let line = text.split_to(end);
    text.advance(1);
    let millis = std::str::from_utf8(&line).ok()?.parse().ok()?;
    Some(UnixMillis::from_millis(millis))
}

/// Parses a request head: method, path and a line per header. Headers that `http` cannot represent
/// are omitted.
pub(crate) fn parse_request<B>(head: &Bytes, body: B) -> http::Request<B> {
    let mut lines = lines(head);
    let method = lines.next().unwrap_or_default();
    let path = lines.next().unwrap_or_default();
    let mut request = http::Request::new(body);
    // The runtime accepts no method that `http` cannot represent.
    *request.method_mut() = Method::from_bytes(method).unwrap_or_default();
    *request.uri_mut() = Uri::from_maybe_shared(head.slice_ref(path)).unwrap_or_default();
    *request.headers_mut() = parse_headers(head, lines);
    request
}

/// Parses a response head: status and a line per header.
pub(crate) fn parse_response<B>(head: &Bytes, body: B) -> http::Response<B> {
    let mut lines = lines(head);
    let status = lines.next().unwrap_or_default();
    let mut response = http::Response::new(body);
    *response.status_mut() =
        StatusCode::from_bytes(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = parse_headers(head, lines);
    response
}

/// Formats a line per header.
pub(crate) fn format_headers(headers: &HeaderMap) -> String {
    let mut lines = String::new();
    for (name, value) in headers {
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(name.as_str());
        lines.push(':');
        lines.push_str(&String::from_utf8_lossy(value.as_bytes()));
    }
    lines
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

/// Parses lines of `text` to headers, whose values share its memory.
fn parse_headers<'t>(text: &Bytes, lines: impl Iterator<Item = &'t [u8]>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(HEADERS_CAPACITY);
    for line in lines {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            continue;
        };
        let name = HeaderName::from_bytes(name);
        let value = HeaderValue::from_maybe_shared(text.slice_ref(value));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_head_starts_with_the_time_of_arrival() {
        let mut text = Bytes::from("1700000000000\nPOST\n/");
        let time = UnixMillis::from_millis(1_700_000_000_000);
        assert_eq!(split_time(&mut text), Some(time));
        assert_eq!(text, "POST\n/");
        assert_eq!(split_time(&mut text), None);
    }

    #[test]
    fn request_has_method_path_query_and_headers_of_its_text() {
        let head = "POST\n/a.B/C?d=e\nname:value: with a colon\nname:again";
        let request = parse_request(&Bytes::from(head), ());
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri().path(), "/a.B/C");
        assert_eq!(request.uri().query(), Some("d=e"));
        let values: Vec<_> = request.headers().get_all("name").iter().collect();
        assert_eq!(values, ["value: with a colon", "again"]);
    }

    #[test]
    fn response_has_status_and_headers_of_its_text() {
        let response = parse_response(&Bytes::from("409\na:1\na:2\nempty:"), "body");
        assert_eq!(response.status(), StatusCode::CONFLICT);
        assert_eq!(response.headers().len(), 3);
        assert_eq!(response.body(), &"body");
    }

    #[test]
    fn response_without_a_status_is_an_internal_error() {
        let response = parse_response(&Bytes::new(), ());
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn parsed_headers_format_to_the_same_lines() {
        for lines in ["", "a:1", "a:1\na:2\nempty:\nb:with: a colon"] {
            let response = parse_response(&Bytes::from(format!("200\n{lines}")), ());
            assert_eq!(format_headers(response.headers()), lines);
        }
    }

    #[test]
    fn invalid_headers_are_omitted() {
        let head = Bytes::from("PUT\n*\nno colon\nnot a name:x\nok:\u{1}");
        let request = parse_request(&head, ());
        assert!(request.headers().is_empty());
    }
}

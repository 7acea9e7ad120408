//! Requests and answers as they cross over: all that is not body is one text, with a line for each header.
//! A value has no line break in it, by the rules of HTTP.

use bytes::{Buf as _, Bytes};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Uri};

/// How many headers there are room for at first: more than clients send.
const HEADERS: usize = 12;

/// A header and its value.
type Usual = (HeaderName, &'static str);

/// What nearly every call to an object has.
const CALLS: [Usual; 2] = [
    (header::CONTENT_TYPE, "application/proto"),
    (HeaderName::from_static("connect-protocol-version"), "1"),
];

/// What nearly every answer of an object has.
const ANSWERS: [Usual; 1] = [(header::CONTENT_TYPE, "application/proto")];

/// Takes a number off a text that begins with a line of it.
pub(crate) fn take_number(text: &mut Bytes) -> Option<i64> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let line = text.split_to(end);
    text.advance(1);
    std::str::from_utf8(&line).ok()?.parse().ok()
}

/// The request that `verb, path, headers...` describes. What `http` cannot hold is left out.
pub(crate) fn request<B>(head: &Bytes, body: B) -> http::Request<B> {
    let mut lines = lines(head);
    let verb = lines.next().unwrap_or_default();
    let path = lines.next().unwrap_or_default();
    let mut request = http::Request::new(body);
    // What is no method to `http` is none that we serve.
    *request.method_mut() = Method::from_bytes(&verb).unwrap_or_default();
    *request.uri_mut() = Uri::from_maybe_shared(path).unwrap_or_default();
    *request.headers_mut() = headers(lines, &[]);
    request
}

/// A call to an object as a text: the path, then a line for each header that not all such calls have.
pub(crate) fn call_head<B>(request: &http::Request<B>) -> String {
    let mut head = request.uri().path().to_owned();
    push_headers(&mut head, request.headers(), &CALLS);
    head
}

/// The request of which [`call_head`] made a text.
pub(crate) fn call_request<B>(head: &Bytes, body: B) -> http::Request<B> {
    let mut lines = lines(head);
    let path = lines.next().unwrap_or_default();
    let mut request = http::Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_maybe_shared(path).unwrap_or_default();
    *request.headers_mut() = headers(lines, &CALLS);
    request
}

/// An object's answer as a text: the status, then a line for each header that not all such answers have.
pub(crate) fn answer_head<B>(answer: &http::Response<B>) -> String {
    let mut head = answer.status().as_str().to_owned();
    push_headers(&mut head, answer.headers(), &ANSWERS);
    head
}

/// The answer of which [`answer_head`] made a text.
pub(crate) fn answer<B>(head: &Bytes, body: B) -> http::Response<B> {
    answer_with(head, body, &ANSWERS)
}

/// The answer of a server elsewhere, with no header but those that the text has.
pub(crate) fn foreign_answer<B>(head: &Bytes, body: B) -> http::Response<B> {
    answer_with(head, body, &[])
}

fn answer_with<B>(head: &Bytes, body: B, usual: &[Usual]) -> http::Response<B> {
    let mut lines = lines(head);
    let status = lines.next().unwrap_or_default();
    let mut answer = http::Response::new(body);
    *answer.status_mut() =
        StatusCode::from_bytes(&status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *answer.headers_mut() = headers(lines, usual);
    answer
}

/// A line for each header.
pub(crate) fn header_lines(headers: &HeaderMap) -> String {
    let mut lines = String::new();
    push_headers(&mut lines, headers, &[]);
    // The first line break is one too many.
    lines.split_off(lines.len().min(1))
}

/// The lines of a text, which they share: each is a part of the same memory.
fn lines(text: &Bytes) -> impl Iterator<Item = Bytes> {
    let lines = text.split(|byte| *byte == b'\n');
    lines.map(|line| text.slice_ref(line))
}

/// Headers from lines; `usual` ones are added where there is no line of that name.
fn headers(lines: impl Iterator<Item = Bytes>, usual: &[Usual]) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(HEADERS);
    for mut value in lines {
        let Some(colon) = value.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let name = value.split_to(colon);
        value.advance(1);
        let name = HeaderName::from_bytes(&name);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_maybe_shared(value)) {
            map.append(name, value);
        }
    }
    for (name, value) in usual {
        let entry = map.entry(name);
        entry.or_insert_with(|| HeaderValue::from_static(value));
    }
    map
}

/// Lines from headers, each with a line break before it; `usual` ones are left out.
fn push_headers(text: &mut String, headers: &HeaderMap, usual: &[Usual]) {
    for (name, value) in headers {
        if usual
            .iter()
            .any(|usual| usual.0 == name && usual.1 == value)
        {
            continue;
        }
        text.push('\n');
        text.push_str(name.as_str());
        text.push(':');
        text.push_str(&String::from_utf8_lossy(value.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_what_its_text_says() {
        let head = "POST\n/a.B/C?d=e\nname:value: with a colon\nname:again";
        let request = request(&Bytes::from(head), ());
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri().path(), "/a.B/C");
        assert_eq!(request.uri().query(), Some("d=e"));
        let values: Vec<_> = request.headers().get_all("name").iter().collect();
        assert_eq!(values, ["value: with a colon", "again"]);
        assert_eq!(
            header_lines(request.headers()),
            "name:value: with a colon\nname:again"
        );
    }

    #[test]
    fn a_call_crosses_over_unchanged() {
        for lines in [
            "content-type:application/proto\nconnect-protocol-version:1",
            "content-type:application/proto\nconnect-protocol-version:1\nconnect-timeout-ms:500",
            "content-type:application/json\nconnect-protocol-version:1\na:1\na:2",
        ] {
            let sent = request(&Bytes::from(format!("POST\n/a.B/C\n{lines}")), ());
            let head = call_head(&sent);
            assert!(head.len() < lines.len(), "{head}");
            let received = call_request(&Bytes::from(head), ());
            assert_eq!(received.method(), sent.method());
            assert_eq!(received.uri(), sent.uri());
            assert_eq!(received.headers(), sent.headers());
        }
    }

    #[test]
    fn an_answer_crosses_over_unchanged() {
        for head in ["200", "200\na:1\na:2", "409\ncontent-type:application/json"] {
            let answer = answer(&Bytes::from(head), ());
            assert_eq!(answer_head(&answer), head);
        }
        let usual = answer(&Bytes::from("200"), ());
        assert_eq!(
            header_lines(usual.headers()),
            "content-type:application/proto"
        );
        assert_eq!(header_lines(&HeaderMap::new()), "");
    }

    #[test]
    fn what_is_no_header_is_left_out() {
        let head = Bytes::from("PUT\n*\nno colon\nnot a name:x\nok:\u{1}");
        let request = request(&head, ());
        assert!(request.headers().is_empty());
    }
}

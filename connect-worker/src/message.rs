//! Requests and answers as they cross over: all that is not body is one text, with a line for each header.
//! A value has no line break in it, by the rules of HTTP. Between the Worker and its objects text and body are one
//! message, with an empty line between them, as in HTTP/1.1: crossing over once costs less than twice.

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

/// What is between the head of a message and its body.
const HEAD_ENDS: &[u8] = b"\n\n";

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
    *request.method_mut() = Method::from_bytes(verb).unwrap_or_default();
    *request.uri_mut() = Uri::from_maybe_shared(head.slice_ref(path)).unwrap_or_default();
    *request.headers_mut() = headers(head, lines, &[]);
    request
}

/// A call to an object as a message: the path, and a line for each header that not all such calls have.
pub(crate) fn from_call(request: &http::Request<Bytes>) -> Vec<u8> {
    let mut head = request.uri().path().to_owned();
    push_headers(&mut head, request.headers(), &CALLS);
    with_body(head, request.body())
}

/// The request of which [`from_call`] made a message.
pub(crate) fn to_call(message: Bytes) -> http::Request<Bytes> {
    let (head, body) = without_body(message);
    let mut lines = lines(&head);
    let path = lines.next().unwrap_or_default();
    let mut request = http::Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_maybe_shared(head.slice_ref(path)).unwrap_or_default();
    *request.headers_mut() = headers(&head, lines, &CALLS);
    request
}

/// An object's answer as a message: the status, and a line for each header that not all such answers have.
pub(crate) fn from_answer(answer: &http::Response<Bytes>) -> Vec<u8> {
    let mut head = answer.status().as_str().to_owned();
    push_headers(&mut head, answer.headers(), &ANSWERS);
    with_body(head, answer.body())
}

/// The answer of which [`from_answer`] made a message.
pub(crate) fn to_answer(message: Bytes) -> http::Response<Bytes> {
    let (head, body) = without_body(message);
    answer_with(&head, body, &ANSWERS)
}

fn with_body(head: String, body: &[u8]) -> Vec<u8> {
    let mut message = head.into_bytes();
    message.reserve_exact(HEAD_ENDS.len().saturating_add(body.len()));
    message.extend_from_slice(HEAD_ENDS);
    message.extend_from_slice(body);
    message
}

/// Head and body, which share the message's memory.
fn without_body(mut message: Bytes) -> (Bytes, Bytes) {
    let end = message
        .windows(HEAD_ENDS.len())
        .position(|window| window == HEAD_ENDS);
    let head = message.split_to(end.unwrap_or(message.len()));
    message.advance(HEAD_ENDS.len().min(message.len()));
    (head, message)
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
        StatusCode::from_bytes(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *answer.headers_mut() = headers(head, lines, usual);
    answer
}

/// A line for each header.
pub(crate) fn header_lines(headers: &HeaderMap) -> String {
    let mut lines = String::new();
    push_headers(&mut lines, headers, &[]);
    // The first line break is one too many.
    lines.split_off(lines.len().min(1))
}

/// The lines of a text.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

/// Headers from lines, whose values share the memory of the text; `usual` ones are added where there is no line of that
/// name.
fn headers<'t>(text: &Bytes, lines: impl Iterator<Item = &'t [u8]>, usual: &[Usual]) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(HEADERS);
    for line in lines {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            continue;
        };
        let name = HeaderName::from_bytes(name);
        let value = HeaderValue::from_maybe_shared(text.slice_ref(value));
        if let (Ok(name), Ok(value)) = (name, value) {
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
            "content-type:application/json\nconnect-protocol-version:1\na:1\na:2\nempty:",
        ] {
            for body in ["", "body", "\n\nbody\n\n"] {
                let head = Bytes::from(format!("POST\n/a.B/C\n{lines}"));
                let sent = request(&head, Bytes::from(body));
                let message = from_call(&sent);
                assert!(message.len() < lines.len() + body.len(), "{message:?}");
                let received = to_call(message.into());
                assert_eq!(received.method(), sent.method());
                assert_eq!(received.uri(), sent.uri());
                assert_eq!(received.headers(), sent.headers());
                assert_eq!(received.body(), body);
            }
        }
    }

    #[test]
    fn an_answer_crosses_over_unchanged() {
        for message in [
            "200\n\n",
            "200\na:1\na:2\n\nbody",
            "409\ncontent-type:application/json\n\n{\n\n}",
        ] {
            let answer = to_answer(Bytes::from(message));
            assert_eq!(from_answer(&answer), message.as_bytes());
        }
        let usual = to_answer(Bytes::from("200\n\n"));
        assert_eq!(
            header_lines(usual.headers()),
            "content-type:application/proto"
        );
        assert_eq!(header_lines(&HeaderMap::new()), "");
    }

    #[test]
    fn a_message_that_breaks_off_has_no_body() {
        for message in ["", "200", "200\n", "200\na:1"] {
            assert_eq!(to_answer(Bytes::from(message)).body(), "");
        }
    }

    #[test]
    fn what_is_no_header_is_left_out() {
        let head = Bytes::from("PUT\n*\nno colon\nnot a name:x\nok:\u{1}");
        let request = request(&head, ());
        assert!(request.headers().is_empty());
    }
}

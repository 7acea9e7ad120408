//! Errors of calls, in memory and on the wire.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::code::Code;

/// Encodes without padding, decodes with or without it (Connect spec: "Error").
const DETAIL_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Error of a call: a code, a message for people, details for programs, and metadata.
///
/// All of it reaches the client, except for the text of [`Error::with_cause`], which is for the
/// log.
///
/// ```
/// use connect::{Code, Error};
///
/// let error = Error::not_found("no such colony").with_cause("shard 3 has no row");
/// assert_eq!(error.code(), Code::NotFound);
/// assert_eq!(error.to_string(), "not_found: no such colony");
/// assert_eq!(error.cause(), Some("shard 3 has no row"));
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: Code,
    message: Cow<'static, str>,
    details: Vec<ErrorDetail>,
    headers: HeaderMap,
    trailers: HeaderMap,
    cause: Option<String>,
}

/// Protobuf message with more information about an error, such as `google.rpc.RetryInfo`.
///
/// ```
/// use connect::Error;
///
/// let error = Error::not_found("no such colony").with_detail("example.v1.Hint", vec![8, 1]);
/// let detail = &error.details()[0];
/// assert_eq!(detail.type_name, "example.v1.Hint");
/// assert_eq!(detail.value.as_ref(), [8, 1]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorDetail {
    /// Full name of the message's type, without `type.googleapis.com/`.
    pub type_name: Cow<'static, str>,
    /// The message in its binary form.
    pub value: Bytes,
}

macro_rules! constructors {
    ($($name:ident => $code:ident),* $(,)?) => {
        $(
            #[doc = concat!("Creates an error with the code [`Code::", stringify!($code), "`].")]
            #[must_use]
            pub fn $name(message: impl Into<Cow<'static, str>>) -> Self {
                Self::new(Code::$code, message)
            }
        )*
    };
}

impl Error {
    /// Creates an error. An empty message is omitted on the wire.
    ///
    /// ```
    /// use connect::{Code, Error};
    ///
    /// let error = Error::new(Code::Aborted, "");
    /// assert_eq!(error.to_string(), "aborted");
    /// ```
    #[must_use]
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            details: Vec::new(),
            headers: HeaderMap::new(),
            trailers: HeaderMap::new(),
            cause: None,
        }))
    }

    constructors! {
        canceled => Canceled,
        unknown => Unknown,
        invalid_argument => InvalidArgument,
        deadline_exceeded => DeadlineExceeded,
        not_found => NotFound,
        already_exists => AlreadyExists,
        permission_denied => PermissionDenied,
        resource_exhausted => ResourceExhausted,
        failed_precondition => FailedPrecondition,
        aborted => Aborted,
        out_of_range => OutOfRange,
        unimplemented => Unimplemented,
        internal => Internal,
        unavailable => Unavailable,
        data_loss => DataLoss,
        unauthenticated => Unauthenticated,
    }

    /// Adds a detail: the full name of a message type, and a message in its binary form.
    #[must_use]
    pub fn with_detail(
        mut self,
        type_name: impl Into<Cow<'static, str>>,
        value: impl Into<Bytes>,
    ) -> Self {
        self.0.details.push(ErrorDetail {
            type_name: type_name.into(),
            value: value.into(),
        });
        self
    }

    /// Sets the cause, which is for the log and never sent.
    #[must_use]
    pub fn with_cause(mut self, cause: impl fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// Returns the code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Returns the message for people, which may be empty.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the details in the order in which they were added.
    #[must_use]
    pub fn details(&self) -> &[ErrorDetail] {
        &self.0.details
    }

    /// Returns code, message and cause in one line, for a log. It is not for clients.
    ///
    /// ```
    /// let error = connect::Error::unavailable("try again").with_cause("connection refused");
    /// assert_eq!(error.log_text(), "unavailable: try again: connection refused");
    /// ```
    #[must_use]
    pub fn log_text(&self) -> String {
        match self.cause() {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }

    /// Returns the text of [`Error::with_cause`].
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// Returns the metadata that is sent as HTTP headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// Returns a mutable reference to the metadata of [`Error::headers`].
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.0.headers
    }

    /// Returns the metadata that is sent as HTTP headers with the prefix `trailer-`.
    #[must_use]
    pub fn trailers(&self) -> &HeaderMap {
        &self.0.trailers
    }

    /// Returns a mutable reference to the metadata of [`Error::trailers`].
    pub fn trailers_mut(&mut self) -> &mut HeaderMap {
        &mut self.0.trailers
    }

    /// Returns the body of an error response: `{"code", "message", "details"}` and nothing else.
    pub(crate) fn to_json(&self) -> Bytes {
        let wire = WireError {
            code: Cow::Borrowed(self.code().as_str()),
            message: Cow::Borrowed(self.message()),
            details: self
                .details()
                .iter()
                .map(|detail| WireDetail {
                    type_name: Cow::Borrowed(&detail.type_name),
                    value: Cow::Owned(DETAIL_BASE64.encode(&detail.value)),
                })
                .collect(),
        };
        // Strings cannot fail to encode; the fallback is a valid error all the same.
        serde_json::to_vec(&wire).map_or(Bytes::from_static(br#"{"code":"internal"}"#), Bytes::from)
    }

    /// Decodes the body of an error response; `None` if it is no Connect error. An unknown code
    /// becomes `fallback`.
    pub(crate) fn from_json(body: &[u8], fallback: Code) -> Option<Self> {
        let wire: WireError<'_> = serde_json::from_slice(body).ok()?;
        let code = Code::from_name(&wire.code).unwrap_or(fallback);
        let mut error = Self::new(code, wire.message.into_owned());
        for detail in wire.details {
            // A detail that cannot be decoded must not hide the error.
            if let Ok(value) = DETAIL_BASE64.decode(detail.value.as_bytes()) {
                error = error.with_detail(detail.type_name.into_owned(), value);
            }
        }
        Some(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code())?;
        if !self.message().is_empty() {
            write!(f, ": {}", self.message())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("details", &self.0.details)
            .field("headers", &self.0.headers)
            .field("trailers", &self.0.trailers)
            .field("cause", &self.0.cause)
            .finish()
    }
}

impl std::error::Error for Error {}

#[derive(Serialize, Deserialize)]
struct WireError<'a> {
    #[serde(default)]
    code: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    message: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    details: Vec<WireDetail<'a>>,
}

#[derive(Serialize, Deserialize)]
struct WireDetail<'a> {
    #[serde(rename = "type")]
    type_name: Cow<'a, str>,
    value: Cow<'a, str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_code_message_and_unpadded_details() {
        let error = Error::unavailable("try \"later\" ☺")
            .with_detail("google.rpc.RetryInfo", vec![0x0a, 0x02, 0x08, 0x05])
            .with_cause("object was reset");
        assert_eq!(
            error.to_json(),
            concat!(
                r#"{"code":"unavailable","message":"try \"later\" ☺","#,
                r#""details":[{"type":"google.rpc.RetryInfo","value":"CgIIBQ"}]}"#
            )
        );
    }

    #[test]
    fn empty_message_is_omitted() {
        assert_eq!(Error::canceled("").to_json(), r#"{"code":"canceled"}"#);
    }

    #[test]
    fn json_round_trips() {
        let sent = Error::not_found("colony not found: m").with_detail("a.B", vec![1, 2, 3, 255]);
        let read = Error::from_json(&sent.to_json(), Code::Unknown).unwrap();
        assert_eq!(read.code(), Code::NotFound);
        assert_eq!(read.message(), "colony not found: m");
        assert_eq!(read.details(), sent.details());
    }

    #[test]
    fn padded_details_and_unknown_members_are_accepted() {
        let body =
            br#"{"code":"aborted","details":[{"type":"a.B","value":"AQ==","debug":{}}],"x":1}"#;
        let read = Error::from_json(body, Code::Unknown).unwrap();
        assert_eq!(read.details()[0].value, vec![1]);
    }

    #[test]
    fn unknown_code_becomes_the_fallback_and_other_bodies_are_rejected() {
        let read = Error::from_json(br#"{"code":"odd"}"#, Code::Unavailable).unwrap();
        assert_eq!(read.code(), Code::Unavailable);
        assert!(Error::from_json(b"<html>", Code::Unknown).is_none());
    }

    #[test]
    fn error_has_the_size_of_a_pointer() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}

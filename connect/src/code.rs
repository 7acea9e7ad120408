//! Error codes and their HTTP statuses.

use http::StatusCode;

/// Error code of a failed call (Connect spec: "Error Codes").
///
/// ```
/// use connect::Code;
///
/// assert_eq!(Code::NotFound.as_str(), "not_found");
/// assert_eq!(Code::NotFound.http_status(), 404);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The client cancelled the call.
    Canceled,
    /// No other code fits, or the code of the response is unknown.
    Unknown,
    /// The request is invalid, whatever the state of the service.
    InvalidArgument,
    /// The deadline of the call passed before the response was ready.
    DeadlineExceeded,
    /// A resource that the request names does not exist.
    NotFound,
    /// A resource that the request would create already exists.
    AlreadyExists,
    /// The client is not allowed to do this.
    PermissionDenied,
    /// A quota or a size limit is exceeded.
    ResourceExhausted,
    /// The service is not in the state that the call requires.
    FailedPrecondition,
    /// The call conflicted with a concurrent one.
    Aborted,
    /// The request is outside the valid range, such as a page after the last.
    OutOfRange,
    /// The service does not support the call.
    Unimplemented,
    /// An invariant of the service is broken.
    Internal,
    /// The service is unavailable at the moment. A retry may succeed.
    Unavailable,
    /// Data is lost or corrupt beyond recovery.
    DataLoss,
    /// The client has no valid credentials.
    Unauthenticated,
}

impl Code {
    /// All codes, in the order of the specification's table.
    pub const ALL: [Self; 16] = [
        Self::Canceled,
        Self::Unknown,
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::OutOfRange,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DataLoss,
        Self::Unauthenticated,
    ];

    /// Returns the name of the code in the JSON of an error.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Canceled => "canceled",
            Self::Unknown => "unknown",
            Self::InvalidArgument => "invalid_argument",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::PermissionDenied => "permission_denied",
            Self::ResourceExhausted => "resource_exhausted",
            Self::FailedPrecondition => "failed_precondition",
            Self::Aborted => "aborted",
            Self::OutOfRange => "out_of_range",
            Self::Unimplemented => "unimplemented",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
            Self::DataLoss => "data_loss",
            Self::Unauthenticated => "unauthenticated",
        }
    }

    /// Returns the code with that name; `None` if the protocol has no such code.
    ///
    /// ```
    /// use connect::Code;
    ///
    /// assert_eq!(Code::from_name("unavailable"), Some(Code::Unavailable));
    /// assert_eq!(Code::from_name("teapot"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }

    /// Returns the HTTP status of an error with this code.
    #[must_use]
    pub fn http_status(self) -> StatusCode {
        match self {
            // `http` has no constant for 499; the fallback is never used.
            Self::Canceled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
            Self::InvalidArgument | Self::FailedPrecondition | Self::OutOfRange => {
                StatusCode::BAD_REQUEST
            }
            Self::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::AlreadyExists | Self::Aborted => StatusCode::CONFLICT,
            Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
            Self::Unimplemented => StatusCode::NOT_IMPLEMENTED,
            Self::Unknown | Self::Internal | Self::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
        }
    }

    /// Returns the code for a response without a Connect error, such as a proxy's (Connect spec:
    /// "HTTP to Error Code").
    ///
    /// ```
    /// use connect::{Code, http::StatusCode};
    ///
    /// assert_eq!(Code::from_http_status(StatusCode::BAD_GATEWAY), Code::Unavailable);
    /// ```
    #[must_use]
    pub fn from_http_status(status: StatusCode) -> Self {
        match status.as_u16() {
            400 => Self::Internal,
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 => Self::Unimplemented,
            429 | 502 | 503 | 504 => Self::Unavailable,
            _ => Self::Unknown,
        }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_statuses_of_the_specification() {
        let table = [
            ("canceled", 499),
            ("unknown", 500),
            ("invalid_argument", 400),
            ("deadline_exceeded", 504),
            ("not_found", 404),
            ("already_exists", 409),
            ("permission_denied", 403),
            ("resource_exhausted", 429),
            ("failed_precondition", 400),
            ("aborted", 409),
            ("out_of_range", 400),
            ("unimplemented", 501),
            ("internal", 500),
            ("unavailable", 503),
            ("data_loss", 500),
            ("unauthenticated", 401),
        ];
        assert_eq!(table.len(), Code::ALL.len());
        for (name, status) in table {
            let code = Code::from_name(name).unwrap();
            assert_eq!(code.http_status().as_u16(), status, "{name}");
        }
    }

    #[test]
    fn status_selects_the_code_of_a_response_without_an_error() {
        for (status, code) in [
            (400, Code::Internal),
            (401, Code::Unauthenticated),
            (403, Code::PermissionDenied),
            (404, Code::Unimplemented),
            (429, Code::Unavailable),
            (502, Code::Unavailable),
            (503, Code::Unavailable),
            (504, Code::Unavailable),
            (418, Code::Unknown),
            (500, Code::Unknown),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(Code::from_http_status(status), code, "{status}");
        }
    }

    #[test]
    fn unknown_names_have_no_code() {
        assert_eq!(Code::from_name("NOT_FOUND"), None);
        assert_eq!(Code::from_name(""), None);
    }
}

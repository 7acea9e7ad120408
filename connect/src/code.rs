//! The sixteen error codes of the Connect protocol and their HTTP statuses.

use http::StatusCode;

/// Why a call failed (Connect spec: "Error Codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The caller gave the call up.
    Canceled,
    /// A failure that fits no other code, or whose code could not be read.
    Unknown,
    /// The request is wrong whatever the state of the service is.
    InvalidArgument,
    /// The caller's deadline passed before the answer was there.
    DeadlineExceeded,
    /// What the call names does not exist.
    NotFound,
    /// What the call would create exists already.
    AlreadyExists,
    /// The caller may not do this.
    PermissionDenied,
    /// A quota or a size limit is exhausted.
    ResourceExhausted,
    /// The service is not in the state that the call needs.
    FailedPrecondition,
    /// The call lost to a concurrent one.
    Aborted,
    /// The call reaches past the valid range.
    OutOfRange,
    /// The service does not offer this.
    Unimplemented,
    /// A promise inside the service is broken.
    Internal,
    /// The service cannot answer now; trying again may help.
    Unavailable,
    /// Data is lost or corrupt for good.
    DataLoss,
    /// The caller did not say validly who it is.
    Unauthenticated,
}

impl Code {
    /// Every code, in the order of the specification's table.
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

    /// The name that stands in the JSON of an error.
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

    /// The code of that name; `None` when the protocol has no such code.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }

    /// The HTTP status that an error of this code is sent with.
    #[must_use]
    pub fn http_status(self) -> StatusCode {
        match self {
            // 499 has no constant in `http`; the fallback is never reached.
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

    /// What a client makes of an answer that carries no Connect error, such as a proxy's
    /// (Connect spec: "HTTP to Error Code").
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
    fn every_code_has_the_status_of_the_specification() {
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
    fn an_answer_without_an_error_body_is_judged_by_its_status() {
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
    fn names_outside_the_protocol_are_no_codes() {
        assert_eq!(Code::from_name("NOT_FOUND"), None);
        assert_eq!(Code::from_name(""), None);
    }
}

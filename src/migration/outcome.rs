//! The outcome of a call to the legacy server.

use connect::{Code, Error};

/// The outcome of a call to the legacy server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegacyOutcome {
    /// The server knows what was looked up, or has registered it.
    Ok,
    /// The server does not know it either.
    NotFound,
    /// Another key holds it there.
    SplitBrain,
    /// The server refuses what this service has accepted.
    Rejected,
    /// The server did not respond, or with an error of its own, or something else responded in its
    /// place.
    Failed,
    /// The call was not made: the server has failed too often, or too many registrations are in
    /// flight.
    CircuitOpen,
    /// The server did not respond within a deadline shorter than the configured timeout, which says
    /// nothing about the server.
    DeadlineTooShort,
}

/// The bytes of a reason in the log: more than a sentence has.
const MAX_REASON_BYTES: usize = 200;

impl LegacyOutcome {
    /// Classifies a response. The Go server reports a split brain as `internal`, recognisable only
    /// by its text. `permission_denied` comes from a proxy that denies every call: the server
    /// itself never returns it.
    #[must_use]
    pub fn of<T>(response: &Result<T, Error>) -> Self {
        let Err(error) = response else {
            return Self::Ok;
        };
        match error.code() {
            Code::NotFound => Self::NotFound,
            Code::AlreadyExists => Self::SplitBrain,
            Code::Internal
                if error
                    .message()
                    .contains("already registered with different") =>
            {
                Self::SplitBrain
            }
            Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => Self::Rejected,
            _ => Self::Failed,
        }
    }

    /// Returns whether the server gave no usable response.
    #[must_use]
    pub fn is_unreachable(self) -> bool {
        matches!(
            self,
            Self::Failed | Self::CircuitOpen | Self::DeadlineTooShort
        )
    }

    /// Returns the name in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotFound => "not_found",
            Self::SplitBrain => "split_brain",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::CircuitOpen => "circuit_open",
            Self::DeadlineTooShort => "deadline_too_short",
        }
    }
}

/// Returns the reason of a failed call, for the log: bounded, and without those of the server's
/// words that may hold keys.
#[must_use]
pub fn failure_reason(error: &Error) -> String {
    let words = match error.code() {
        Code::Internal | Code::AlreadyExists => "",
        _ => error.message(),
    };
    let cause = error.cause().unwrap_or_default();
    let reason = format!("{}: {words} {cause}", error.code());
    let mut end = MAX_REASON_BYTES.min(reason.len());
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.get(..end).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_brain_is_recognised_by_its_code_or_by_the_go_servers_text() {
        let internal = |text: &'static str| Err(Error::internal(text));
        for (response, outcome) in [
            (Ok(()), LegacyOutcome::Ok),
            (Err(Error::not_found("")), LegacyOutcome::NotFound),
            (Err(Error::already_exists("")), LegacyOutcome::SplitBrain),
            (
                internal(
                    "colony/agent 'm' already registered with different public key until \
                     2026-01-01 (existing: a, new: b)",
                ),
                LegacyOutcome::SplitBrain,
            ),
            (internal("out of memory"), LegacyOutcome::Failed),
            (Err(Error::invalid_argument("")), LegacyOutcome::Rejected),
            (Err(Error::unavailable("")), LegacyOutcome::Failed),
            (Err(Error::deadline_exceeded("")), LegacyOutcome::Failed),
            // A proxy in front of the server that denies every call.
            (Err(Error::permission_denied("")), LegacyOutcome::Failed),
            // A server that has no such service.
            (Err(Error::unimplemented("")), LegacyOutcome::Failed),
        ] {
            assert_eq!(LegacyOutcome::of(&response), outcome, "{response:?}");
        }
    }

    #[test]
    fn reason_is_short_and_holds_no_keys() {
        let reason = failure_reason(&Error::internal("existing: KEY").with_cause("é".repeat(999)));
        assert!(reason.starts_with("internal:") && !reason.contains("KEY") && reason.len() <= 200);
        let down = failure_reason(&Error::unavailable("no reply").with_cause("connection refused"));
        assert_eq!(down, "unavailable: no reply connection refused");
    }
}

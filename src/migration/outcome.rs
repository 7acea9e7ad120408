//! What an answer of the old server means.

use connect::{Code, Error};

/// What became of a call to the old server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It knows what was looked up, or has registered it.
    Done,
    /// It does not know it either.
    NotFound,
    /// Another key holds it there: a split brain.
    SplitBrain,
    /// It refuses what we have accepted.
    Refused,
    /// It did not answer, or with an error of its own, or something else answers in its place.
    Failed,
    /// It was not asked: it has failed too often, or too many register at once.
    Skipped,
    /// It has not answered, and the caller gave it less time than it may take: that says nothing of the server.
    Hurried,
}

/// Bytes of a reason in the log: more than a sentence has.
const REASON_BYTES: usize = 200;

impl Outcome {
    /// What an answer means. The Go server calls a split brain `internal`, and tells it by its text alone. A proxy that
    /// lets nobody through is `permission_denied`: that server itself never says so.
    #[must_use]
    pub fn of<T>(answer: &Result<T, Error>) -> Self {
        let Err(error) = answer else {
            return Self::Done;
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
            Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => Self::Refused,
            _ => Self::Failed,
        }
    }

    /// Its name in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotFound => "not_found",
            Self::SplitBrain => "split_brain",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Hurried => "hurried",
        }
    }
}

/// Why a call has failed, for the log: of a server's own words nothing that may have keys in it, and not too much.
#[must_use]
pub fn reason(error: &Error) -> String {
    let words = match error.code() {
        Code::Internal | Code::AlreadyExists => "",
        _ => error.message(),
    };
    let cause = error.cause().unwrap_or_default();
    let reason = format!("{}: {words} {cause}", error.code());
    let mut end = REASON_BYTES.min(reason.len());
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.get(..end).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_brain_is_known_by_its_code_or_by_what_the_go_server_says() {
        let internal = |text: &'static str| Err(Error::internal(text));
        for (answer, outcome) in [
            (Ok(()), Outcome::Done),
            (Err(Error::not_found("")), Outcome::NotFound),
            (Err(Error::already_exists("")), Outcome::SplitBrain),
            (
                internal(
                    "colony/agent 'm' already registered with different public key until \
                     2026-01-01 (existing: a, new: b)",
                ),
                Outcome::SplitBrain,
            ),
            (internal("out of memory"), Outcome::Failed),
            (Err(Error::invalid_argument("")), Outcome::Refused),
            (Err(Error::unavailable("")), Outcome::Failed),
            (Err(Error::deadline_exceeded("")), Outcome::Failed),
            // A proxy in front of it that lets nobody through.
            (Err(Error::permission_denied("")), Outcome::Failed),
            // A server that has no such service.
            (Err(Error::unimplemented("")), Outcome::Failed),
        ] {
            assert_eq!(Outcome::of(&answer), outcome, "{answer:?}");
        }
    }

    #[test]
    fn a_reason_is_short_and_has_no_keys_in_it() {
        let told = reason(&Error::internal("existing: KEY").with_cause("é".repeat(1_000)));
        assert!(told.starts_with("internal:") && !told.contains("KEY") && told.len() <= 200);
        let down = reason(&Error::unavailable("no answer").with_cause("connection refused"));
        assert_eq!(down, "unavailable: no answer connection refused");
    }
}

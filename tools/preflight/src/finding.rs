//! Findings of the checks.

use std::fmt;

/// A problem of a configuration, and how to solve it.
#[derive(Debug)]
pub(crate) struct Finding {
    /// The environment must not be deployed before this is solved.
    pub(crate) is_error: bool,
    text: String,
}

/// Reports a problem that must be solved before a deployment.
pub(crate) fn error(text: impl Into<String>) -> Finding {
    Finding {
        is_error: true,
        text: text.into(),
    }
}

/// Reports a setting that works, but may not be intended.
pub(crate) fn note(text: impl Into<String>) -> Finding {
    Finding {
        is_error: false,
        text: text.into(),
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_error { "error" } else { "note" };
        write!(f, "{kind}: {}", self.text)
    }
}

//! What a check has found.

use std::fmt;

/// What is wrong, or what an operator may want to know.
#[derive(Debug)]
pub(crate) struct Finding {
    /// Whether a deployment must not go on.
    pub(crate) is_error: bool,
    text: String,
}

/// What must be put right before.
pub(crate) fn error(text: impl Into<String>) -> Finding {
    Finding {
        is_error: true,
        text: text.into(),
    }
}

/// What works, and may not be what was meant.
pub(crate) fn advice(text: impl Into<String>) -> Finding {
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

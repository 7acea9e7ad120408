//! Error of a generation.

use std::fmt;

/// Reason for which nothing was generated, in words for the author of the proto.
///
/// ```
/// let generated = connect_codegen::Builder::new()
///     .file("missing.proto")
///     .out_dir("generated")
///     .generate();
/// let error: connect_codegen::Error = generated.unwrap_err();
/// assert!(error.to_string().contains("missing.proto"));
/// ```
#[derive(Debug)]
pub struct Error(String);

impl Error {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

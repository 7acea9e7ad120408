//! JSON strings.

use std::borrow::Cow;

use serde::Deserialize;

/// String, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

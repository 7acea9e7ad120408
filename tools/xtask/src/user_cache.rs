//! Cache folder of the user, which outlives checkouts.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// Returns the folder that keeps this user's tools.
pub(crate) fn folder() -> Result<PathBuf> {
    let cache = dirs::cache_dir().context("there is no cache folder: set XDG_CACHE_HOME")?;
    Ok(cache.join("coral-discovery/tools"))
}

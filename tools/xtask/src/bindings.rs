//! JavaScript bindings of a Worker's module.
//!
//! wasm-bindgen is a library of this program. Its version is in the same `Cargo.lock` as that of
//! the crate that the Worker is linked with, and nothing has to be installed.

use std::path::Path;

use anyhow::{Context as _, Result};
use wasm_bindgen_cli_support::Bindgen;

/// Generates `index.js`, the bindings of a module, and `index_bg.wasm`, the module that they load.
pub(crate) fn generate(module: &Path, folder: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(module)
        .web(true)?
        .typescript(false)
        .out_name("index")
        .reset_state_function(true)
        .generate(folder)
        .with_context(|| format!("wasm-bindgen: {}", module.display()))
}

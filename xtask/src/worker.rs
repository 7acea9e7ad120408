//! The build of the Worker.

use anyhow::Result;

use crate::process::{command, run};
use crate::{project, tools};

/// Builds `build/index.js` and `build/index_bg.wasm`, optimised. Given the three tools by path,
/// worker-build downloads nothing.
pub(crate) fn build() -> Result<()> {
    tools::install()?;
    run(command(tools::worker_build()?)?
        .arg("--release")
        .env("WASM_BINDGEN_BIN", tools::wasm_bindgen()?)
        .env("ESBUILD_BIN", project::npm_bin("esbuild"))
        .env("WASM_OPT_BIN", project::npm_bin("wasm-opt")))
}

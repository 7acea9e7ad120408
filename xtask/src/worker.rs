//! The build of the Worker.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process::{command, run};
use crate::{project, tools};

/// What rustc uses for wasm32, and exceptions, which wasm-bindgen uses to catch JavaScript's. Named one by
/// one: with all features, wasm-opt may use some that workerd does not have yet.
const WASM_FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-exception-handling",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// worker-build for the crate in the current folder. Given its tools by path, it downloads nothing.
pub(crate) fn worker_build() -> Result<Command> {
    let mut build = command(tools::worker_build()?)?;
    build
        .arg("--release")
        .env("WASM_BINDGEN_BIN", tools::wasm_bindgen()?)
        .env("ESBUILD_BIN", project::npm_bin("esbuild"))
        .env("WASM_OPT_BIN", project::npm_bin("wasm-opt"));
    Ok(build)
}

/// Builds `build/index.js` and `build/index_bg.wasm` of the Worker in `folder`, optimised.
pub(crate) fn build(folder: &Path) -> Result<()> {
    tools::install()?;
    run(worker_build()?.current_dir(folder))?;
    let module = folder.join("build/index_bg.wasm");
    run(command(project::npm_bin("wasm-opt"))?
        .args(["-Oz", "--strip-debug", "--strip-producers"])
        .args(WASM_FEATURES)
        .arg(&module)
        .arg("--output")
        .arg(&module))?;
    let bytes = fs::metadata(&module).context("the built module")?.len();
    println!("the Worker's module has {} KiB", bytes / 1024);
    Ok(())
}

//! The build of a Worker: a module of WebAssembly, and the JavaScript that the runtime starts.
//!
//! Not by workers-rs's own `worker-build`: the classes that it makes do not extend the runtime's, so that
//! objects cannot be called by RPC, and it wraps them and the fetch event in proxies
//! that cost time on each call (`docs/performance.md`).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::command::{command, run};
use crate::serve::CONFIG;
use crate::{tools, workspace};

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

/// The JavaScript of a Worker that has none of its own.
const ENTRY: &str = "connect-worker/js/worker.js";

/// Builds `build/index.js` and `build/index_bg.wasm` of the Worker in `folder`, optimised.
pub(crate) fn build(folder: &Path) -> Result<()> {
    build_with(folder, &[])
}

/// [`build`], with variables for the build scripts.
pub(crate) fn build_with(folder: &Path, env: &[(&str, &Path)]) -> Result<()> {
    tools::install()?;
    let module = compile(folder, &[], env)?;
    bundle(folder, &module, folder)
}

/// Where [`build_broken`] puts its Worker.
pub(crate) fn broken_folder() -> PathBuf {
    workspace::root().join("target/broken-worker")
}

/// Builds the service with the feature that breaks it: tests must notice.
pub(crate) fn build_broken() -> Result<()> {
    tools::install()?;
    let folder = broken_folder();
    // In a folder of its own, so that neither build throws away what the other has compiled.
    let arguments = ["--features=broken", "--target-dir=target/broken"];
    let module = compile(workspace::root(), &arguments, &[])?;
    fs::create_dir_all(&folder)?;
    fs::copy(workspace::root().join(CONFIG), folder.join(CONFIG))?;
    bundle(workspace::root(), &module, &folder)
}

/// Makes of a module what the runtime loads: `build/` in the folder `into`.
fn bundle(folder: &Path, module: &Path, into: &Path) -> Result<()> {
    let bindings = module.with_extension("bindgen");
    run(command(tools::wasm_bindgen()?)?
        .args(["--target", "web", "--no-typescript", "--out-name", "index"])
        .arg("--experimental-reset-state-function")
        .arg("--out-dir")
        .arg(&bindings)
        .arg(module))?;
    let built = into.join("build");
    fs::create_dir_all(&built)?;
    run(command(workspace::npm_bin("wasm-opt"))?
        .args(["-Oz", "--strip-debug", "--strip-producers"])
        .args(WASM_FEATURES)
        .arg(bindings.join("index_bg.wasm"))
        .arg("--output")
        .arg(built.join("index_bg.wasm")))?;
    let own = folder.join("src/worker.js");
    let entry = if own.is_file() {
        own
    } else {
        workspace::root().join(ENTRY)
    };
    let alias = bindings.join("index.js");
    run(command(workspace::npm_bin("esbuild"))?
        .arg(entry)
        .args([
            "--bundle",
            "--format=esm",
            "--minify",
            "--log-level=warning",
        ])
        .args(["--external:cloudflare:*", "--external:./index_bg.wasm"])
        // wasm-bindgen lists a file of ours once for each function in it.
        .arg("--log-override:duplicate-object-key=silent")
        // What the entries import without knowing where it lies.
        .arg(format!("--alias:worker:module={}", alias.display()))
        .arg(format!("--outfile={}", built.join("index.js").display())))?;
    let bytes = fs::metadata(built.join("index_bg.wasm"))
        .context("the built module")?
        .len();
    println!("the Worker's module has {} KiB", bytes / 1024);
    Ok(())
}

/// Compiles the crate in `folder`, and returns where its module is.
fn compile(folder: &Path, arguments: &[&str], env: &[(&str, &Path)]) -> Result<PathBuf> {
    #[derive(Deserialize)]
    #[serde(tag = "reason", rename_all = "kebab-case")]
    enum Message {
        CompilerArtifact {
            target: Target,
            filenames: Vec<PathBuf>,
        },
        #[serde(other)]
        Other,
    }
    #[derive(Deserialize)]
    struct Target {
        crate_types: Vec<String>,
        src_path: PathBuf,
    }
    let mut cargo = command("cargo")?;
    cargo
        .args([
            "build",
            "--release",
            "--lib",
            "--target",
            tools::WASM_TARGET,
        ])
        .arg("--message-format=json-render-diagnostics")
        .args(arguments)
        .envs(env.iter().copied())
        .current_dir(folder)
        .stderr(std::process::Stdio::inherit());
    let output = cargo.output().context("cargo")?;
    anyhow::ensure!(output.status.success(), "cargo build: {}", output.status);
    let own = fs::canonicalize(folder)?;
    let messages = output.stdout.split(|byte| *byte == b'\n');
    messages
        .filter_map(|line| match serde_json::from_slice(line) {
            Ok(Message::CompilerArtifact { target, filenames })
                if target.src_path.starts_with(own.join("src"))
                    && target.crate_types.iter().any(|kind| kind == "cdylib") =>
            {
                filenames
                    .into_iter()
                    .find(|file| file.extension().is_some_and(|it| it == "wasm"))
            }
            _ => None,
        })
        .next_back()
        .context("cargo built no module")
}

//! Build of a Worker: a WebAssembly module, and the JavaScript module that the runtime loads.
//!
//! Does not use `worker-build` of workers-rs: its classes do not extend the runtime's, so that
//! objects cannot be called by RPC, and it wraps them and the fetch event in proxies that take time
//! on each call (`docs/performance.md`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::command::{command, run};
use crate::worker_project::WorkerProject;
use crate::{tools, workspace};

/// Features that rustc uses for wasm32, and exceptions, with which wasm-bindgen catches those of
/// JavaScript. Named one by one: with all features, wasm-opt may use some that workerd lacks.
const WASM_FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-exception-handling",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Builds `build/index.js` and `build/index_bg.wasm` of a Worker, optimised.
pub(crate) fn build(worker: &WorkerProject) -> Result<()> {
    build_with(worker, &[])
}

/// Builds a Worker with variables for its build script.
pub(crate) fn build_with(worker: &WorkerProject, env: &[(&str, &Path)]) -> Result<()> {
    tools::install()?;
    let module = compile(&worker.crate_dir, env)?;
    let bindings = generate_bindings(&module)?;
    let build = worker.out_dir.join("build");
    fs::create_dir_all(&build)?;
    let module = build.join("index_bg.wasm");
    optimise(&bindings.join("index_bg.wasm"), &module)?;
    bundle(
        &worker.entry,
        &bindings.join("index.js"),
        &build.join("index.js"),
    )?;
    let bytes = fs::metadata(&module).context("the built module")?.len();
    println!("the Worker's module has {} KiB", bytes / 1024);
    Ok(())
}

/// Compiles the crate in a folder. Returns the path of its module.
fn compile(crate_dir: &Path, env: &[(&str, &Path)]) -> Result<PathBuf> {
    let output = command("cargo")?
        .args(["build", "--release", "--lib"])
        .args(["--target", tools::WASM_TARGET])
        .arg("--message-format=json-render-diagnostics")
        .envs(env.iter().copied())
        .current_dir(crate_dir)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cargo build in {}", crate_dir.display()))?;
    ensure!(output.status.success(), "cargo build: {}", output.status);
    let sources = fs::canonicalize(crate_dir)?.join("src");
    let messages = output.stdout.split(|byte| *byte == b'\n');
    messages
        .filter_map(|message| module_of(message, &sources))
        .next_back()
        .with_context(|| {
            format!(
                "cargo built no module: {} needs crate-type = [\"cdylib\"]",
                crate_dir.join("Cargo.toml").display()
            )
        })
}

/// Returns the module that a message of cargo reports, if its crate is the one with these sources.
fn module_of(message: &[u8], sources: &Path) -> Option<PathBuf> {
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
    let Message::CompilerArtifact { target, filenames } = serde_json::from_slice(message).ok()?
    else {
        return None;
    };
    let is_cdylib = target.crate_types.iter().any(|kind| kind == "cdylib");
    if !is_cdylib || !target.src_path.starts_with(sources) {
        return None;
    }
    filenames.into_iter().find(|file| {
        file.extension()
            .is_some_and(|extension| extension == "wasm")
    })
}

/// Generates the JavaScript bindings of a module. Returns their folder.
fn generate_bindings(module: &Path) -> Result<PathBuf> {
    let bindings = module.with_extension("bindgen");
    run(command(tools::wasm_bindgen()?)?
        .args(["--target", "web", "--no-typescript", "--out-name", "index"])
        .arg("--experimental-reset-state-function")
        .arg("--out-dir")
        .arg(&bindings)
        .arg(module))?;
    Ok(bindings)
}

fn optimise(module: &Path, into: &Path) -> Result<()> {
    run(command(workspace::npm_bin("wasm-opt"))?
        .args(["-Oz", "--strip-debug", "--strip-producers"])
        .args(WASM_FEATURES)
        .arg(module)
        .arg("--output")
        .arg(into))
}

fn bundle(entry: &Path, bindings: &Path, into: &Path) -> Result<()> {
    run(command(workspace::npm_bin("esbuild"))?
        .arg(entry)
        .args(["--bundle", "--format=esm", "--minify"])
        .arg("--log-level=warning")
        .args(["--external:cloudflare:*", "--external:./index_bg.wasm"])
        // wasm-bindgen imports a JavaScript file once for each function that it takes from it.
        .arg("--log-override:duplicate-object-key=silent")
        // Entries import the bindings by this name, as their path depends on the build.
        .arg(format!("--alias:worker:module={}", bindings.display()))
        .arg(format!("--outfile={}", into.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(source: &str, kind: &str) -> Vec<u8> {
        let message = serde_json::json!({
            "reason": "compiler-artifact",
            "target": {"crate_types": [kind], "src_path": source},
            "filenames": ["/t/libx.rlib", "/t/x.wasm"],
        });
        message.to_string().into_bytes()
    }

    #[test]
    fn module_is_that_of_the_folders_own_crate() {
        let sources = Path::new("/w/worker/src");
        let own = message("/w/worker/src/lib.rs", "cdylib");
        assert_eq!(module_of(&own, sources), Some(PathBuf::from("/t/x.wasm")));
        for other in [
            message("/w/connect/src/lib.rs", "cdylib"),
            message("/w/worker/src/lib.rs", "rlib"),
            br#"{"reason":"build-finished","success":true}"#.to_vec(),
            Vec::new(),
        ] {
            assert_eq!(module_of(&other, sources), None);
        }
    }
}

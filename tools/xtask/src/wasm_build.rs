//! Build of a Worker: a WebAssembly module, and the JavaScript module that the runtime loads.
//!
//! Does not use `worker-build` of workers-rs: its classes do not extend the runtime's, so that
//! objects cannot be called by RPC, and it wraps them and the fetch event in proxies that take time
//! on each call (`docs/performance.md`).

use std::fs::{self, File};
use std::path::Path;
use std::time::UNIX_EPOCH;
use std::{env, slice, thread};

use anyhow::{Context as _, Result, anyhow, ensure};
use sha2::{Digest as _, Sha256};

use crate::command::{command, run_quietly};
use crate::wasm_compile::compile;
use crate::worker_project::{Profile, WorkerProject};
use crate::{bindings, progress, tools, workspace};

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

/// File with the digest of [`inputs`], in the folders of the bindings and of the output.
const INPUTS: &str = ".inputs";

/// Builds `index.js` and `index_bg.wasm` of a Worker: for release into `build/`, optimised.
pub(crate) fn build(worker: &WorkerProject, profile: Profile) -> Result<()> {
    build_all(slice::from_ref(worker), profile, &[])
}

/// Builds some Workers with variables for their build scripts. In one run of cargo, the crates that
/// they share are compiled once.
pub(crate) fn build_all(
    workers: &[WorkerProject],
    profile: Profile,
    env: &[(&str, &Path)],
) -> Result<()> {
    tools::check_machine()?;
    // Downloads of npm take no processor time from the compiler.
    let artifacts = thread::scope(|scope| {
        let packages = scope.spawn(|| {
            tools::npm_packages().inspect_err(|error| progress::step(&format!("{error:#}")))
        });
        let artifacts = compile(workers, profile, env);
        packages
            .join()
            .map_err(|_| anyhow!("the installation of npm packages panicked"))??;
        artifacts
    })?;
    for (worker, artifact) in workers.iter().zip(&artifacts) {
        finish(worker, &artifact.module, profile)?;
    }
    Ok(())
}

/// Checks that the service's module is the same whether it is built alone, as for deployments, or
/// with other Workers, as for tests: cargo must find nothing to compile.
pub(crate) fn check_built_alone() -> Result<()> {
    let alone = compile(&[WorkerProject::service()], Profile::Release, &[])?;
    ensure!(
        alone.iter().all(|artifact| artifact.is_fresh),
        "other Workers change features of the service's crates: compare `cargo tree -e features`"
    );
    Ok(())
}

/// Makes the files that the runtime loads from a compiled module. Writes none whose content stays
/// the same, because a server may follow them.
fn finish(worker: &WorkerProject, module: &Path, profile: Profile) -> Result<()> {
    let folder = worker.build_dir(profile);
    fs::create_dir_all(&folder)?;
    // Another run of this program waits here.
    let lock = File::create(folder.join(".lock"))?;
    lock.lock()?;
    let bindings = module.with_extension("bindgen");
    let output = folder.join("index_bg.wasm");
    let name = worker.name();
    let inputs = inputs(module)?;
    let stamps = [bindings.join(INPUTS), folder.join(INPUTS)];
    if stamps.iter().all(|stamp| has_content(stamp, &inputs)) && output.is_file() {
        progress::step(&format!("{name} has not changed"));
        return bundle(worker, profile, &bindings, &folder);
    }
    // A run that is killed leaves no stamp beside what it has replaced.
    for stamp in stamps.iter().filter(|stamp| stamp.exists()) {
        fs::remove_file(stamp)?;
    }
    progress::step(&format!("generating the JavaScript of {name}"));
    bindings::generate(module, &bindings)?;
    bundle(worker, profile, &bindings, &folder)?;
    let generated = bindings.join("index_bg.wasm");
    let partial = folder.join("index_bg.wasm.partial");
    match profile {
        Profile::Dev => {
            fs::copy(&generated, &partial)?;
        }
        Profile::Release => {
            progress::step(&format!("optimising the module of {name}"));
            optimise(&generated, &partial)?;
        }
    }
    let bytes = fs::metadata(&partial).context("the built module")?.len();
    // In one step: nothing reads, or takes for finished, a part of it.
    fs::rename(&partial, &output)?;
    for stamp in stamps {
        fs::write(stamp, &inputs)?;
    }
    progress::step(&format!("built {name}: {} KiB", bytes / 1024));
    Ok(())
}

/// Returns a digest of all that the output is made from: the module, this program and the packages
/// of npm. Times of files would not do: cargo may link an older module again.
fn inputs(module: &Path) -> Result<String> {
    let program = fs::metadata(env::current_exe()?)?;
    let built = program.modified()?.duration_since(UNIX_EPOCH)?;
    let mut digest = Sha256::new();
    digest.update(fs::read(module)?);
    digest.update(built.as_nanos().to_le_bytes());
    digest.update(fs::read(tools::installed_npm_packages())?);
    Ok(format!("{:x}", digest.finalize()))
}

fn has_content(file: &Path, content: &str) -> bool {
    fs::read_to_string(file).is_ok_and(|existing| existing == content)
}

fn optimise(module: &Path, into: &Path) -> Result<()> {
    run_quietly(
        command(workspace::npm_bin("wasm-opt"))?
            .args(["-Oz", "--strip-debug", "--strip-producers"])
            .args(WASM_FEATURES)
            .arg(module)
            .arg("--output")
            .arg(into),
    )
}

/// Writes `index.js`, if its content changes.
fn bundle(worker: &WorkerProject, profile: Profile, bindings: &Path, into: &Path) -> Result<()> {
    let partial = into.join("index.partial.js");
    let mut esbuild = command(workspace::npm_bin("esbuild"))?;
    esbuild
        .arg(&worker.entry)
        .args(["--bundle", "--format=esm", "--log-level=warning"])
        .args(["--external:cloudflare:*", "--external:./index_bg.wasm"])
        // wasm-bindgen imports a JavaScript file once for each function that it takes from it.
        .arg("--log-override:duplicate-object-key=silent")
        // Entries import the bindings by this name, as their path depends on the build.
        .arg(format!(
            "--alias:worker:module={}",
            bindings.join("index.js").display()
        ))
        .arg(format!("--outfile={}", partial.display()));
    if profile == Profile::Release {
        esbuild.arg("--minify");
    }
    run_quietly(&mut esbuild)?;
    let output = into.join("index.js");
    if fs::read(&output).is_ok_and(|existing| fs::read(&partial).is_ok_and(|new| new == existing)) {
        return Ok(fs::remove_file(partial)?);
    }
    Ok(fs::rename(partial, output)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_made_again_for_another_module_even_if_it_is_older() {
        let folder = tempfile::tempdir().unwrap();
        let module = folder.path().join("x.wasm");
        fs::write(&module, "new").unwrap();
        let stamp = folder.path().join(INPUTS);
        fs::write(&stamp, inputs(&module).unwrap()).unwrap();
        assert!(has_content(&stamp, &inputs(&module).unwrap()));
        fs::write(&module, "old").unwrap();
        File::open(&module)
            .unwrap()
            .set_modified(UNIX_EPOCH)
            .unwrap();
        assert!(!has_content(&stamp, &inputs(&module).unwrap()));
    }
}

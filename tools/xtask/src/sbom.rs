//! List of the crates in the Worker (software bill of materials), in the format CycloneDX.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::command::{command, run_quietly};
use crate::{tools, workspace};

/// Name of the list's file. cargo-cyclonedx adds the extension.
pub(crate) const FILE: &str = "sbom.cdx.json";

/// Makes the list. Returns its text.
pub(crate) fn list() -> Result<String> {
    let listed = run_quietly(
        command(tools::cargo_cyclonedx()?)?
            .args(["cyclonedx", "--quiet", "--format=json"])
            .args(["--no-build-deps", "--target", tools::WASM_TARGET])
            .arg("--override-filename")
            .arg(FILE.trim_end_matches(".json"))
            .args(["--manifest-path", "worker/Cargo.toml"]),
    );
    // cargo-cyclonedx writes a list into the folder of each crate of the workspace, and has no
    // option for another folder.
    let list = fs::read_to_string(workspace::root().join("worker").join(FILE));
    for folder in crate_folders()? {
        let _ = fs::remove_file(folder.join(FILE));
    }
    listed?;
    // Without the path of the checkout.
    let root = workspace::root().display().to_string();
    Ok(list.context("the list of crates")?.replace(&root, ""))
}

/// Returns the folders of the workspace's crates.
pub(crate) fn crate_folders() -> Result<Vec<PathBuf>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        manifest_path: PathBuf,
    }
    let output = command("cargo")?
        .args(["metadata", "--no-deps", "--format-version=1"])
        .output()?;
    let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
    let manifests = metadata.packages.into_iter();
    Ok(manifests
        .filter_map(|package| package.manifest_path.parent().map(Path::to_path_buf))
        .collect())
}

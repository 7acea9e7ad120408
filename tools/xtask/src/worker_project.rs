//! Workers of this workspace: the service, and Workers in a folder of their own.

use std::path::{Path, PathBuf};

use crate::workspace;

/// Folder of the service's Worker crate.
const SERVICE_CRATE: &str = "worker";

/// JavaScript entry of a Worker, in the folder of its crate.
const OWN_ENTRY: &str = "js/entry.js";

/// JavaScript entry of Workers that have none of their own.
const DEFAULT_ENTRY: &str = "connect-worker/js/entry.js";

/// Profile of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Compiles fast: for `cargo xtask dev`, and for single and quick tests.
    Dev,
    /// Optimised for size: for deployments, and for the groups of tests.
    Release,
}

impl Profile {
    /// Returns cargo's name of the profile.
    pub(crate) const fn cargo_name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }
}

/// Locations of a Worker's crate, entry and output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WorkerProject {
    /// Folder of the crate that is compiled to WebAssembly.
    pub(crate) crate_dir: PathBuf,
    /// Folder of `wrangler.toml` and `workerd.capnp`. A build for release writes `build/` there.
    pub(crate) out_dir: PathBuf,
    /// JavaScript module that the runtime loads, before bundling.
    pub(crate) entry: PathBuf,
}

impl WorkerProject {
    /// The service: its crate is in `worker/`, its configuration at the top of the checkout.
    pub(crate) fn service() -> Self {
        let root = workspace::root();
        let crate_dir = root.join(SERVICE_CRATE);
        Self {
            entry: crate_dir.join(OWN_ENTRY),
            crate_dir,
            out_dir: root.to_path_buf(),
        }
    }

    /// A Worker whose crate and configuration are in one folder, relative to the top of the
    /// checkout.
    pub(crate) fn in_folder(folder: impl AsRef<Path>) -> Self {
        let root = workspace::root();
        let folder = root.join(folder);
        let own_entry = folder.join(OWN_ENTRY);
        Self {
            entry: if own_entry.is_file() {
                own_entry
            } else {
                root.join(DEFAULT_ENTRY)
            },
            crate_dir: folder.clone(),
            out_dir: folder,
        }
    }

    /// Returns the name of the Worker: that of its folder.
    pub(crate) fn name(&self) -> String {
        let name = self.crate_dir.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Returns the folder that a build writes `index.js` and `index_bg.wasm` to. A deployment never
    /// takes a build for development by mistake.
    pub(crate) fn build_dir(&self, profile: Profile) -> PathBuf {
        match profile {
            Profile::Release => self.out_dir.join("build"),
            Profile::Dev => workspace::root().join("target/dev-build").join(self.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_is_built_at_the_top_from_its_own_entry() {
        let service = WorkerProject::service();
        assert_eq!(service.out_dir, workspace::root());
        assert_eq!(service.crate_dir, workspace::root().join("worker"));
        assert!(service.entry.is_file(), "{}", service.entry.display());
    }

    #[test]
    fn builds_for_development_have_a_folder_of_their_own() {
        let service = WorkerProject::service();
        let example = WorkerProject::in_folder("examples/greeter");
        assert_eq!(
            service.build_dir(Profile::Release),
            workspace::root().join("build")
        );
        let folders = [
            service.build_dir(Profile::Dev),
            example.build_dir(Profile::Dev),
            example.build_dir(Profile::Release),
        ];
        assert!(
            folders
                .iter()
                .all(|folder| *folder != service.build_dir(Profile::Release))
        );
        assert_ne!(folders[0], folders[1]);
    }

    #[test]
    fn worker_without_an_entry_uses_the_default_entry() {
        for folder in ["examples/greeter", "tests/conformance"] {
            let worker = WorkerProject::in_folder(folder);
            assert_eq!(worker.out_dir, workspace::root().join(folder));
            assert_eq!(worker.crate_dir, worker.out_dir);
            assert_eq!(worker.entry, workspace::root().join(DEFAULT_ENTRY));
            assert!(worker.entry.is_file(), "{}", worker.entry.display());
        }
    }
}

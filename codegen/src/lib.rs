#![doc = include_str!("../README.md")]

mod emit;
mod error;
mod input;
mod json;
mod messages;
mod model;
mod rust_names;
mod write;

use std::path::PathBuf;

pub use error::Error;
use input::{Input, Skipped};

/// What to generate, and where to.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    includes: Vec<PathBuf>,
    files: Vec<PathBuf>,
    out_dir: Option<PathBuf>,
    binary_only: Vec<PathBuf>,
    skipped: Skipped,
}

impl Builder {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a folder in which proto files and their imports are looked up.
    #[must_use]
    pub fn include(mut self, folder: impl Into<PathBuf>) -> Self {
        self.includes.push(folder.into());
        self
    }

    /// Adds a proto file, by its path below one of the folders of [`Builder::include`].
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// Gives the messages of a file that was added no JSON form, for a service whose callers are all its own: its code is then
    /// a third smaller. A call in JSON is refused.
    #[must_use]
    pub fn binary_only(mut self, path: impl Into<PathBuf>) -> Self {
        self.binary_only.push(path.into());
        self
    }

    /// Leaves out RPCs that stream, for a proto of others. Clients of theirs get `unimplemented`.
    /// Without this such an RPC is an error.
    #[must_use]
    pub fn leave_out_streaming(mut self) -> Self {
        self.skipped.streaming = true;
        self
    }

    /// Leaves out one RPC, by its full name: `package.Service.Method`. Clients of it get
    /// `unimplemented`.
    #[must_use]
    pub fn leave_out(mut self, rpc: impl Into<String>) -> Self {
        self.skipped.named.push(rpc.into());
        self
    }

    /// Writes to `folder` instead of `OUT_DIR`.
    #[must_use]
    pub fn out_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(folder.into());
        self
    }

    /// Generates, for a build script: tells cargo which proto files the output depends on, and
    /// ends the build with the error if there is one.
    pub fn run(self) {
        match self.generate() {
            Ok(protos) => {
                for proto in protos {
                    println!("cargo::rerun-if-changed={}", proto.display());
                }
            }
            Err(error) => {
                for line in error.to_string().lines() {
                    println!("cargo::error={line}");
                }
                std::process::exit(1);
            }
        }
    }

    /// Generates `protos.rs`, a tree of modules as the packages are nested, and the files that
    /// it includes. A file whose content would be the same is left untouched.
    ///
    /// # Errors
    /// When a proto file cannot be compiled, an RPC streams, an RPC to leave out is not there, two
    /// names would collide in Rust, or the output cannot be written.
    ///
    /// # Returns
    /// The absolute paths of the proto files that were read, imports included.
    pub fn generate(self) -> Result<Vec<PathBuf>, Error> {
        let out_dir = match self.out_dir {
            Some(folder) => folder,
            None => std::env::var_os("OUT_DIR")
                .ok_or_else(|| Error::new("OUT_DIR is not set: use out_dir() outside build.rs"))?
                .into(),
        };
        let input = Input::compile(&self.includes, &self.files, self.skipped)?;
        let (messages, services) = messages::generate(&input.files, &input.skipped)?;
        let json = json::generate(&input.files, &self.binary_only)?;
        write::write(&out_dir, &input.files, messages, json, &services)?;
        Ok(input.paths)
    }
}

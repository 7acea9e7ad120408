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
use input::{Input, Options};

/// Generator of Rust from proto files, for a build script.
///
/// ```no_run
/// connect_codegen::Builder::new()
///     .include("proto")
///     .file("greeter/v1/greeter.proto")
///     .run();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Builder {
    options: Options,
    bytes_fields: Vec<String>,
    type_registry: bool,
    out_dir: Option<PathBuf>,
}

impl Builder {
    /// Returns a generator without files.
    ///
    /// ```
    /// let builder = connect_codegen::Builder::new();
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a folder in which proto files and their imports are looked up. The first folder that
    /// has the file is used.
    ///
    /// ```no_run
    /// connect_codegen::Builder::new()
    ///     .include("proto")
    ///     .include("vendor/proto")
    ///     .file("greeter/v1/greeter.proto")
    ///     .run();
    /// ```
    #[must_use]
    pub fn include(mut self, folder: impl Into<PathBuf>) -> Self {
        self.options.includes.push(folder.into());
        self
    }

    /// Adds a proto file, by its path below a folder of [`Builder::include`]. Files that it imports
    /// are generated too.
    ///
    /// ```no_run
    /// connect_codegen::Builder::new()
    ///     .include("proto")
    ///     .file("greeter/v1/greeter.proto")
    ///     .file("greeter/admin/v1/admin.proto")
    ///     .run();
    /// ```
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.files.push(path.into());
        self
    }

    /// Adds a proto file whose services are internal: all their callers belong to the same
    /// deployment, such as a Worker that calls its Durable Objects.
    ///
    /// Its messages have no JSON form. Each service becomes a trait without a context, a client
    /// over `connect::internal::ObjectTransport` that implements the trait, and `dispatch`, which
    /// takes a method's name and an encoded request and returns the encoded response.
    ///
    /// ```no_run
    /// connect_codegen::Builder::new()
    ///     .include("proto")
    ///     .file("greeter/v1/greeter.proto")
    ///     .internal("counter/v1/counter.proto")
    ///     .run();
    /// ```
    #[must_use]
    pub fn internal(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.internal_files.push(path.into());
        self
    }

    /// Skips all streaming RPCs. Their clients get `unimplemented`.
    ///
    /// Without this, a streaming RPC is an error.
    ///
    /// ```no_run
    /// connect_codegen::Builder::new()
    ///     .include("proto")
    ///     .file("greeter/v1/greeter.proto")
    ///     .skip_streaming()
    ///     .run();
    /// ```
    #[must_use]
    pub fn skip_streaming(mut self) -> Self {
        self.options.skipped.streaming = true;
        self
    }

    /// Skips one RPC, by its full name. Its clients get `unimplemented`.
    ///
    /// ```no_run
    /// connect_codegen::Builder::new()
    ///     .include("proto")
    ///     .file("greeter/v1/greeter.proto")
    ///     .skip_method("greeter.v1.GreeterService.Watch")
    ///     .run();
    /// ```
    #[must_use]
    pub fn skip_method(mut self, full_name: impl Into<String>) -> Self {
        self.options.skipped.methods.push(full_name.into());
        self
    }

    /// Gives `bytes` fields the type `bytes::Bytes` instead of `Vec<u8>`: decoding from `Bytes`
    /// then shares their memory instead of copying it. `path` names a field, a message or a package
    /// with a leading dot, as in prost-build's `Config::bytes`.
    ///
    /// ```no_run
    /// connect_codegen::Builder::new()
    ///     .include("proto")
    ///     .file("files/v1/files.proto")
    ///     .bytes(".files.v1.File.content")
    ///     .run();
    /// ```
    #[must_use]
    pub fn bytes(mut self, path: impl Into<String>) -> Self {
        self.bytes_fields.push(path.into());
        self
    }

    /// Adds to each package `TYPES`, the list of its messages for `connect::json::register`, so
    /// that a `google.protobuf.Any` in JSON can hold them. Needs the feature `any` of `connect`.
    ///
    /// ```no_run
    /// connect_codegen::Builder::new()
    ///     .include("proto")
    ///     .file("greeter/v1/greeter.proto")
    ///     .type_registry()
    ///     .run();
    /// ```
    #[must_use]
    pub fn type_registry(mut self) -> Self {
        self.type_registry = true;
        self
    }

    /// Writes to `folder` instead of `OUT_DIR`. The folder must exist.
    ///
    /// ```no_run
    /// connect_codegen::Builder::new()
    ///     .include("proto")
    ///     .file("greeter/v1/greeter.proto")
    ///     .out_dir("src/generated")
    ///     .run();
    /// ```
    #[must_use]
    pub fn out_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(folder.into());
        self
    }

    /// Generates, for a build script: reports the proto files to cargo, so that a change of one
    /// runs the script again. An error is printed, and ends the build.
    ///
    /// ```no_run
    /// connect_codegen::Builder::new()
    ///     .include("proto")
    ///     .file("greeter/v1/greeter.proto")
    ///     .run();
    /// ```
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

    /// Generates `protos.rs`, which nests a module for each package, and the files that it
    /// includes. A file whose content would be the same is left untouched.
    ///
    /// ```no_run
    /// let protos = connect_codegen::Builder::new()
    ///     .include("proto")
    ///     .file("greeter/v1/greeter.proto")
    ///     .out_dir("src/generated")
    ///     .generate()?;
    /// println!("generated from {protos:?}");
    /// # Ok::<_, connect_codegen::Error>(())
    /// ```
    ///
    /// # Returns
    /// The absolute paths of the proto files that were read, imports included.
    ///
    /// # Errors
    /// Returns an error if a proto file cannot be compiled, an RPC streams, an RPC to skip does
    /// not exist, a file that is not internal uses a type of an internal file, two names would
    /// collide in Rust, or the output cannot be written.
    pub fn generate(self) -> Result<Vec<PathBuf>, Error> {
        let out_dir = match self.out_dir {
            Some(folder) => folder,
            None => std::env::var_os("OUT_DIR")
                .ok_or_else(|| Error::new("OUT_DIR is not set: use out_dir() outside build.rs"))?
                .into(),
        };
        let input = Input::compile(self.options)?;
        let (messages, services) = messages::generate(&input, &self.bytes_fields)?;
        let json = json::generate(&input)?;
        let connect = emit::generate(&input, &services, self.type_registry)?;
        write::write(&out_dir, &input, messages, json, connect)?;
        Ok(input.paths)
    }
}

//! From proto files to descriptors, by protox.

use std::path::PathBuf;

use prost_types::FileDescriptorProto;

use crate::error::Error;

/// The well-known types are not generated: the crate `connect` has them.
pub(crate) const WELL_KNOWN_PACKAGE: &str = "google.protobuf";

/// Where they are.
pub(crate) const WELL_KNOWN_MODULE: &str = "::connect::wkt";

/// Compiled proto files.
pub(crate) struct Descriptors {
    /// All of them, imports first, the well-known types among them.
    pub(crate) files: Vec<FileDescriptorProto>,
    /// Where they were read from.
    pub(crate) paths: Vec<PathBuf>,
}

/// Compiles `files` and what they import.
pub(crate) fn compile(includes: &[PathBuf], files: &[PathBuf]) -> Result<Descriptors, Error> {
    let mut compiler = protox::Compiler::new(includes).map_err(|error| explain(&error))?;
    compiler.include_source_info(true).include_imports(true);
    compiler
        .open_files(files)
        .map_err(|error| explain(&error))?;
    let mut paths = Vec::new();
    for file in compiler.files() {
        // The well-known types come with protox and have no path.
        if let Some(path) = file.path() {
            let path = std::path::absolute(path)
                .map_err(|error| Error::new(format!("{}: {error}", path.display())))?;
            paths.push(path);
        }
    }
    Ok(Descriptors {
        files: compiler.file_descriptor_set().file,
        paths,
    })
}

/// protox names file, line and column in the alternate form of its debug output.
fn explain(error: &protox::Error) -> Error {
    Error::new(format!("{error:?}"))
}

//! Compilation of proto files to descriptors, by protox.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use prost_types::FileDescriptorProto;

use crate::error::Error;

/// Package of the well-known types, which are not generated: the crate `connect` has them.
pub(crate) const WELL_KNOWN_PACKAGE: &str = "google.protobuf";

/// Module of the well-known types.
pub(crate) const WELL_KNOWN_MODULE: &str = "::connect::wkt";

/// Compiled proto files.
pub(super) struct Descriptors {
    /// All files, imports first, the well-known types among them.
    pub(super) files: Vec<FileDescriptorProto>,
    /// Absolute paths of the files that were read.
    pub(super) paths: Vec<PathBuf>,
    /// Names of the internal files, as an `import` would give them.
    pub(super) internal: BTreeSet<String>,
}

/// Compiles `files`, `internal_files` and their imports.
///
/// # Errors
/// Returns an error if a file cannot be compiled, or is in both lists.
pub(super) fn compile(
    includes: &[PathBuf],
    files: &[PathBuf],
    internal_files: &[PathBuf],
) -> Result<Descriptors, Error> {
    let mut compiler = protox::Compiler::new(includes).map_err(|error| explain(&error))?;
    compiler.include_source_info(true).include_imports(true);
    compiler
        .open_files(files.iter().chain(internal_files))
        .map_err(|error| explain(&error))?;
    let internal = names(&compiler, internal_files);
    if let Some(both) = names(&compiler, files).intersection(&internal).next() {
        return Err(Error::new(format!(
            "{both} was added with `.file(..)` and with `.internal(..)`: remove one"
        )));
    }
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
        internal,
    })
}

/// Returns the names of compiled files, which the build script gave as paths below an include
/// folder or, as protox allows it too, below the current one.
fn names(compiler: &protox::Compiler, paths: &[PathBuf]) -> BTreeSet<String> {
    let is_same = |one: &Path, other: &Path| {
        let other = fs::canonicalize(other);
        fs::canonicalize(one).is_ok_and(|one| other.is_ok_and(|other| one == other))
    };
    compiler
        .files()
        .filter(|file| {
            paths.iter().any(|path| {
                Path::new(file.name()) == path
                    || file.path().is_some_and(|opened| is_same(opened, path))
            })
        })
        .map(|file| file.name().to_owned())
        .collect()
}

/// Converts protox's error, which names file, line and column in the alternate form of its debug
/// output.
fn explain(error: &protox::Error) -> Error {
    Error::new(format!("{error:?}"))
}

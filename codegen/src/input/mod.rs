//! Proto files to generate from: compiled, checked, and with a package each.

mod default_package;
mod descriptors;
mod name_check;
mod skip;

use std::path::PathBuf;

use prost_types::FileDescriptorProto;

pub(crate) use default_package::full_name;
pub(crate) use descriptors::{WELL_KNOWN_MODULE, WELL_KNOWN_PACKAGE};
pub(crate) use skip::Skipped;

use crate::error::Error;

/// Compiled proto files that passed all checks.
pub(crate) struct Input {
    /// All files, imports first, the well-known types among them.
    pub(crate) files: Vec<FileDescriptorProto>,
    /// Absolute paths of the files that were read.
    pub(crate) paths: Vec<PathBuf>,
    /// RPCs that are not generated.
    pub(crate) skipped: Skipped,
}

impl Input {
    /// Compiles `files` and their imports, and checks them together.
    pub(crate) fn compile(
        includes: &[PathBuf],
        files: &[PathBuf],
        skipped: Skipped,
    ) -> Result<Self, Error> {
        let descriptors::Descriptors { mut files, paths } = descriptors::compile(includes, files)?;
        default_package::assign(&mut files)?;
        skipped.check(&files)?;
        name_check::check(&files, &skipped)?;
        Ok(Self {
            files,
            paths,
            skipped,
        })
    }
}

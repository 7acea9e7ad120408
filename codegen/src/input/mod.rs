//! Proto files to generate from: compiled, checked, and each with a package.

mod default_package;
mod descriptors;
mod internal;
mod name_check;
mod skip;

use std::path::PathBuf;

use prost_types::FileDescriptorProto;

pub(crate) use default_package::full_name;
pub(crate) use descriptors::{WELL_KNOWN_MODULE, WELL_KNOWN_PACKAGE};
use internal::InternalFiles;
use skip::Skipped;

use crate::error::Error;

/// Proto files and RPCs that the build script names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Folders in which proto files are looked up.
    pub(crate) includes: Vec<PathBuf>,
    /// Files whose services are public.
    pub(crate) files: Vec<PathBuf>,
    /// Files whose services are internal.
    pub(crate) internal_files: Vec<PathBuf>,
    /// RPCs that are not generated.
    pub(crate) skipped: Skipped,
}

/// Compiled proto files that passed all checks.
pub(crate) struct Input {
    /// All files, imports first, the well-known types among them.
    pub(crate) files: Vec<FileDescriptorProto>,
    /// Absolute paths of the files that were read.
    pub(crate) paths: Vec<PathBuf>,
    internal: InternalFiles,
    skipped: Skipped,
}

impl Input {
    /// Compiles the files and their imports, and checks them together.
    pub(crate) fn compile(options: Options) -> Result<Self, Error> {
        let Options {
            includes,
            files,
            internal_files,
            skipped,
        } = options;
        let mut descriptors = descriptors::compile(&includes, &files, &internal_files)?;
        default_package::assign(&mut descriptors.files)?;
        let internal = InternalFiles::new(descriptors.internal);
        skipped.check(&descriptors.files)?;
        name_check::check(&descriptors.files, &skipped)?;
        internal.check(&descriptors.files, &skipped)?;
        Ok(Self {
            files: descriptors.files,
            paths: descriptors.paths,
            internal,
            skipped,
        })
    }

    /// Returns the files whose messages have a JSON form.
    pub(crate) fn public_files(&self) -> impl Iterator<Item = &FileDescriptorProto> {
        let is_public = |file: &&_| !self.internal.contains(file);
        self.files.iter().filter(is_public)
    }

    /// Returns the files whose messages have no JSON form, as their services are internal.
    pub(crate) fn internal_files(&self) -> impl Iterator<Item = &FileDescriptorProto> {
        let is_internal = |file: &&_| self.internal.contains(file);
        self.files.iter().filter(is_internal)
    }

    /// Returns true for a service, by its full name, of an internal file.
    pub(crate) fn is_internal_service(&self, name: &str) -> bool {
        self.internal_files().any(|file| {
            let mut services = file.service.iter();
            services.any(|service| full_name(file.package(), service.name()) == name)
        })
    }

    /// Returns true for an RPC that is not generated. `service` is a full name.
    pub(crate) fn is_skipped(&self, service: &str, rpc: &str, streams: bool) -> bool {
        self.skipped.contains(service, rpc, streams)
    }
}

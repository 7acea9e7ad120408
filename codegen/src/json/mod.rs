//! The JSON form of the messages, by pbjson-build.

mod rewrite;

use std::path::{Path, PathBuf};

use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto};

use crate::emit;
use crate::error::Error;
use crate::input::{WELL_KNOWN_MODULE, WELL_KNOWN_PACKAGE, full_name};
use crate::messages::Sources;
use crate::rust_names::module_path;

/// Generates `Serialize` and `Deserialize` for the messages and enums of `files`. Those of files that are `binary_only` refuse.
pub(crate) fn generate(
    files: &[FileDescriptorProto],
    binary_only: &[PathBuf],
) -> Result<Sources, Error> {
    let (binary, both): (Vec<_>, Vec<_>) = files.iter().partition(|file| {
        binary_only
            .iter()
            .any(|path| path == Path::new(file.name()))
    });
    if let Some(missing) = binary_only
        .iter()
        .find(|path| !binary.iter().any(|file| *path == Path::new(file.name())))
    {
        let missing = missing.display();
        return Err(Error::new(format!(
            "{missing} is to have no JSON, but is not generated"
        )));
    }
    let mut builder = pbjson_build::Builder::new();
    for file in files {
        builder.register_file_descriptor(file.clone());
    }
    let without = binary.iter().flat_map(|file| names(file));
    let well_known = format!(".{WELL_KNOWN_PACKAGE}");
    let written = builder
        .btree_map(["."])
        .exclude(without.chain([well_known]))
        .extern_path(format!(".{WELL_KNOWN_PACKAGE}"), WELL_KNOWN_MODULE)
        // Connect's own codecs ignore them: client and server may know different versions.
        .ignore_unknown_fields()
        .generate(&["."], |_| Ok(Vec::new()))
        .map_err(|error| Error::new(error.to_string()))?;
    let mut sources: Sources = written
        .into_iter()
        .map(|(package, source)| {
            let source =
                String::from_utf8(source).map_err(|error| Error::new(error.to_string()))?;
            // It escapes keywords for Rust; these are the names of files.
            Ok((
                package.to_string().replace("r#", ""),
                rewrite::rewrite(&source)?,
            ))
        })
        .collect::<Result<_, Error>>()?;
    // A package of which all is left out has nothing to include.
    sources.retain(|package, _| {
        both.iter()
            .any(|file| module_path(file.package()) == *package)
    });
    for file in binary {
        let refusals = emit::refusals(file)?.to_string();
        sources
            .entry(module_path(file.package()))
            .or_default()
            .push_str(&refusals);
    }
    Ok(sources)
}

/// The full names of all that a file defines at its top.
fn names(file: &FileDescriptorProto) -> Vec<String> {
    let messages = file.message_type.iter().map(DescriptorProto::name);
    let enums = file.enum_type.iter().map(EnumDescriptorProto::name);
    let full = |name| format!(".{}", full_name(file.package(), name));
    messages.chain(enums).map(full).collect()
}

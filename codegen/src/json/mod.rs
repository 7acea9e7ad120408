//! JSON form of messages and enums, by pbjson-build.

mod rewrite;

use std::collections::BTreeSet;

use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto};

use crate::error::Error;
use crate::input::{Input, WELL_KNOWN_MODULE, WELL_KNOWN_PACKAGE};
use crate::messages::Sources;
use crate::rust_names::module_path;

/// Generates `Serialize` and `Deserialize` for all messages and enums but those of internal files.
pub(crate) fn generate(input: &Input) -> Result<Sources, Error> {
    let packages: BTreeSet<_> = input
        .public_files()
        .map(FileDescriptorProto::package)
        .filter(|package| *package != WELL_KNOWN_PACKAGE)
        .collect();
    let mut sources = Sources::new();
    for package in &packages {
        let nested = packages
            .iter()
            .filter(|other| other.starts_with(&format!("{package}.")));
        if let Some(source) = generate_package(input, package, nested.copied())? {
            sources.insert(module_path(package), rewrite::rewrite(&source)?);
        }
    }
    Ok(sources)
}

/// Returns pbjson's code for a package, or nothing if it has no types. `nested` are the packages
/// below it.
fn generate_package<'a>(
    input: &Input,
    package: &str,
    nested: impl Iterator<Item = &'a str>,
) -> Result<Option<String>, Error> {
    let mut builder = pbjson_build::Builder::new();
    for file in &input.files {
        builder.register_file_descriptor(file.clone());
    }
    let prefix = format!(".{package}");
    let generated = builder
        .btree_map(["."])
        .exclude(internal_types(input))
        .exclude(nested.map(|package| format!(".{package}")))
        .extern_path(format!(".{WELL_KNOWN_PACKAGE}"), WELL_KNOWN_MODULE)
        // With `self` in front, a type parameter of pbjson's code does not hide a message `V`.
        .extern_path(&prefix, "self")
        // Client and server may have different versions of the proto. Connect's own codecs ignore
        // unknown fields too.
        .ignore_unknown_fields()
        .generate(&[prefix], |_| Ok(Vec::new()))
        .map_err(|error| Error::new(error.to_string()))?;
    let source = generated.into_iter().next();
    source
        .map(|(_, source)| String::from_utf8(source))
        .transpose()
        .map_err(|error| Error::new(error.to_string()))
}

/// Returns the names of the outermost types of internal files, as descriptors refer to them.
fn internal_types(input: &Input) -> Vec<String> {
    let types = input.internal_files().flat_map(|file| {
        let messages = file.message_type.iter().map(DescriptorProto::name);
        let enums = file.enum_type.iter().map(EnumDescriptorProto::name);
        let type_name = |name| format!(".{}.{name}", file.package());
        messages.chain(enums).map(type_name)
    });
    types.collect()
}

//! JSON form of messages and enums, by pbjson-build.

mod rewrite;

use prost_types::{DescriptorProto, EnumDescriptorProto};

use crate::error::Error;
use crate::input::{Input, WELL_KNOWN_MODULE, WELL_KNOWN_PACKAGE};
use crate::messages::Sources;

/// Generates `Serialize` and `Deserialize` for all messages and enums but those of internal files.
pub(crate) fn generate(input: &Input) -> Result<Sources, Error> {
    let mut builder = pbjson_build::Builder::new();
    for file in &input.files {
        builder.register_file_descriptor(file.clone());
    }
    let well_known = format!(".{WELL_KNOWN_PACKAGE}");
    let written = builder
        .btree_map(["."])
        .exclude(internal_types(input))
        .exclude([well_known.clone()])
        .extern_path(well_known, WELL_KNOWN_MODULE)
        // As Connect's own codecs do: client and server may have different versions of the proto.
        .ignore_unknown_fields()
        .generate(&["."], |_| Ok(Vec::new()))
        .map_err(|error| Error::new(error.to_string()))?;
    written
        .into_iter()
        .map(|(package, source)| {
            // pbjson escapes keywords for Rust, but this is the name of a file.
            let package = package.to_string().replace("r#", "");
            let source =
                String::from_utf8(source).map_err(|error| Error::new(error.to_string()))?;
            Ok((package, rewrite::rewrite(&source)?))
        })
        .collect()
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

//! The JSON form of the messages, by pbjson-build.

use prost_types::FileDescriptorProto;

use crate::Error;
use crate::descriptors::{WELL_KNOWN_MODULE, WELL_KNOWN_PACKAGE};
use crate::mend::mend;
use crate::messages::Sources;

/// Generates `Serialize` and `Deserialize` for the messages and enums of `files`.
pub(crate) fn generate(files: &[FileDescriptorProto]) -> Result<Sources, Error> {
    let mut builder = pbjson_build::Builder::new();
    for file in files {
        builder.register_file_descriptor(file.clone());
    }
    let written = builder
        .btree_map(["."])
        .exclude([format!(".{WELL_KNOWN_PACKAGE}")])
        .extern_path(format!(".{WELL_KNOWN_PACKAGE}"), WELL_KNOWN_MODULE)
        // Connect's own codecs ignore them: client and server may know different versions.
        .ignore_unknown_fields()
        .generate(&["."], |_| Ok(Vec::new()))
        .map_err(|error| Error::new(error.to_string()))?;
    written
        .into_iter()
        .map(|(package, source)| {
            let source =
                String::from_utf8(source).map_err(|error| Error::new(error.to_string()))?;
            // It escapes keywords for Rust; these are the names of files.
            Ok((package.to_string().replace("r#", ""), mend(&source)?))
        })
        .collect()
}

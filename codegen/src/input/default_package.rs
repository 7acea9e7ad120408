//! Files without a package: Rust needs a module for what they define, and pbjson a package. On the
//! wire their names stay as they are.

use std::collections::BTreeSet;

use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};

use crate::error::Error;

/// The package, and so the module, that stands in for none.
const DEFAULT_PACKAGE: &str = "no_package";

/// Moves what has no package into one, with all references to it.
///
/// # Errors
/// When a package has the name of the stand-in.
pub(crate) fn assign(files: &mut [FileDescriptorProto]) -> Result<(), Error> {
    if let Some(file) = files.iter().find(|file| file.package() == DEFAULT_PACKAGE) {
        return Err(Error::new(format!(
            "{} has the package {DEFAULT_PACKAGE}, which stands in for none: rename it",
            file.name()
        )));
    }
    let homeless: BTreeSet<String> = files
        .iter()
        .filter(|file| file.package().is_empty())
        .flat_map(|file| {
            let messages = file.message_type.iter().map(DescriptorProto::name);
            let enums = file.enum_type.iter().map(EnumDescriptorProto::name);
            messages.chain(enums).map(ToOwned::to_owned)
        })
        .collect();
    let rename = |name: &mut Option<String>| {
        let of = name.as_deref().and_then(|name| name.strip_prefix('.'));
        let first = of.and_then(|name| name.split('.').next());
        if first.is_some_and(|first| homeless.contains(first)) {
            *name = Some(format!(".{DEFAULT_PACKAGE}.{}", of.unwrap_or_default()));
        }
    };
    for file in files {
        if file.package().is_empty() {
            file.package = Some(DEFAULT_PACKAGE.to_owned());
        }
        for message in &mut file.message_type {
            rename_fields(message, &rename);
        }
        for method in file.service.iter_mut().flat_map(|each| &mut each.method) {
            rename(&mut method.input_type);
            rename(&mut method.output_type);
        }
    }
    Ok(())
}

fn rename_fields(message: &mut DescriptorProto, rename: &impl Fn(&mut Option<String>)) {
    for FieldDescriptorProto { type_name, .. } in &mut message.field {
        rename(type_name);
    }
    for nested in &mut message.nested_type {
        rename_fields(nested, rename);
    }
}

/// What `name` of `package` is called on the wire.
pub(crate) fn full_name(package: &str, name: &str) -> String {
    match package {
        DEFAULT_PACKAGE => name.to_owned(),
        package => format!("{package}.{name}"),
    }
}

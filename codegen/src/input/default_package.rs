//! Files without a package get one: Rust needs a module for what they define, and pbjson a
//! package. On the wire their names stay as they are.

use std::collections::BTreeSet;

use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};

use crate::error::Error;

/// Package, and so module, of files without one.
const DEFAULT_PACKAGE: &str = "no_package";

/// Assigns the default package to files without one, and rewrites all references to their types.
///
/// # Errors
/// Returns an error if a file has a package of that name.
pub(super) fn assign(files: &mut [FileDescriptorProto]) -> Result<(), Error> {
    if let Some(file) = files.iter().find(|file| file.package() == DEFAULT_PACKAGE) {
        return Err(Error::new(format!(
            "package {DEFAULT_PACKAGE} ({}) is reserved for files without a package: rename it",
            file.name()
        )));
    }
    let without_package: BTreeSet<String> = files
        .iter()
        .filter(|file| file.package().is_empty())
        .flat_map(|file| {
            let messages = file.message_type.iter().map(DescriptorProto::name);
            let enums = file.enum_type.iter().map(EnumDescriptorProto::name);
            messages.chain(enums).map(ToOwned::to_owned)
        })
        .collect();
    let rename = |type_name: &mut Option<String>| {
        let name = type_name.as_deref().and_then(|name| name.strip_prefix('.'));
        let first = name.and_then(|name| name.split('.').next());
        if first.is_some_and(|first| without_package.contains(first)) {
            *type_name = Some(format!(".{DEFAULT_PACKAGE}.{}", name.unwrap_or_default()));
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

/// Returns the name on the wire of a package's service or message.
pub(crate) fn full_name(package: &str, name: &str) -> String {
    match package {
        DEFAULT_PACKAGE => name.to_owned(),
        package => format!("{package}.{name}"),
    }
}

/// Returns the name on the wire of a type to which descriptors refer as `.package.Name`.
pub(super) fn wire_name(type_name: &str) -> &str {
    let name = type_name.strip_prefix('.').unwrap_or(type_name);
    let without_package = name.strip_prefix(DEFAULT_PACKAGE);
    without_package
        .and_then(|name| name.strip_prefix('.'))
        .unwrap_or(name)
}

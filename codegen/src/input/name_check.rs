//! Checks of names and RPCs before anything is generated: refuses streaming RPCs, and names that
//! differ in protobuf but not in Rust.

use std::collections::BTreeMap;

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use prost_types::{FileDescriptorProto, ServiceDescriptorProto};

use super::default_package::full_name;
use super::skip::Skipped;
use crate::error::Error;

/// Rust names in use, each with the protobuf element that becomes it.
#[derive(Default)]
struct NameTable(BTreeMap<String, String>);

impl NameTable {
    fn insert(&mut self, rust_name: String, element: String) -> Result<(), Error> {
        if let Some(first) = self.0.get(&rust_name) {
            return Err(Error::new(format!(
                "{first} and {element} would both be `{rust_name}` in Rust: rename one"
            )));
        }
        self.0.insert(rust_name, element);
        Ok(())
    }
}

/// Checks all files of one generation together: packages may span files.
pub(super) fn check(files: &[FileDescriptorProto], skipped: &Skipped) -> Result<(), Error> {
    let mut types = NameTable::default();
    for file in files {
        let scope = |name: &str| full_name(file.package(), name);
        let messages = file.message_type.iter().map(|m| ("message", m.name()));
        let enums = file.enum_type.iter().map(|e| ("enum", e.name()));
        for (kind, name) in messages.chain(enums) {
            let element = format!("{kind} {} ({})", scope(name), file.name());
            types.insert(scope(&name.to_upper_camel_case()), element)?;
        }
        for service in &file.service {
            let name = service.name();
            let element = format!("service {} ({})", scope(name), file.name());
            let rust_name = name.to_upper_camel_case();
            types.insert(scope(&rust_name), element.clone())?;
            types.insert(scope(&format!("{rust_name}Client")), element.clone())?;
            types.insert(scope(&name.to_snake_case()), element)?;
            check_methods(file, service, skipped)?;
        }
        // A message with nested types also becomes a module.
        for message in &file.message_type {
            let has_module = !(message.nested_type.is_empty()
                && message.enum_type.is_empty()
                && message.oneof_decl.is_empty());
            if has_module {
                let element = format!("message {} ({})", scope(message.name()), file.name());
                types.insert(scope(&message.name().to_snake_case()), element)?;
            }
        }
    }
    Ok(())
}

fn check_methods(
    file: &FileDescriptorProto,
    service: &ServiceDescriptorProto,
    skipped: &Skipped,
) -> Result<(), Error> {
    let full_name = full_name(file.package(), service.name());
    let mut methods = NameTable::default();
    for method in &service.method {
        let rpc = format!("RPC {full_name}.{} ({})", method.name(), file.name());
        let streams = method.client_streaming() || method.server_streaming();
        if skipped.contains(&full_name, method.name(), streams) {
            continue;
        }
        if streams {
            return Err(Error::new(format!(
                "{rpc} streams, but only unary RPCs can be generated: remove `stream`, or skip \
                 the RPC with `.skip_method(\"{full_name}.{}\")` in the build script",
                method.name()
            )));
        }
        methods.insert(method.name().to_snake_case(), rpc)?;
    }
    Ok(())
}

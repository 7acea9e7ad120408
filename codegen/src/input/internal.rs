//! Files with internal services. Their messages have no JSON form, so the messages and RPCs of
//! other files must not use them.

use std::collections::{BTreeMap, BTreeSet};

use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, MessageOptions};

use super::default_package::{full_name, wire_name};
use super::skip::Skipped;
use crate::error::Error;

/// Names of the internal files.
pub(super) struct InternalFiles(BTreeSet<String>);

impl InternalFiles {
    pub(super) fn new(names: BTreeSet<String>) -> Self {
        Self(names)
    }

    pub(super) fn contains(&self, file: &FileDescriptorProto) -> bool {
        self.0.contains(file.name())
    }

    /// Checks that no other file uses a type of an internal file.
    pub(super) fn check(
        &self,
        files: &[FileDescriptorProto],
        skipped: &Skipped,
    ) -> Result<(), Error> {
        let (internal, public): (Vec<_>, Vec<_>) =
            files.iter().partition(|file| self.contains(file));
        let mut defined_in = BTreeMap::new();
        for file in internal {
            let scope = format!(".{}", file.package());
            for name in type_names(&scope, &file.message_type, &file.enum_type) {
                defined_in.insert(name, file.name());
            }
        }
        for file in public {
            for Use { user, type_name } in uses(file, skipped) {
                if let Some(internal) = defined_in.get(type_name) {
                    return Err(Error::new(format!(
                        "{user} ({file}) uses {} ({internal}), which is internal and has no JSON \
                         form: add {file} with `.internal(..)` too, or move the type to a file \
                         that is not internal",
                        wire_name(type_name),
                        file = file.name(),
                    )));
                }
            }
        }
        Ok(())
    }
}

/// Returns the names of types and of those nested in them, as descriptors refer to them.
fn type_names(
    scope: &str,
    messages: &[DescriptorProto],
    enums: &[EnumDescriptorProto],
) -> Vec<String> {
    let mut names: Vec<_> = enums
        .iter()
        .map(|each| format!("{scope}.{}", each.name()))
        .collect();
    for message in messages {
        let name = format!("{scope}.{}", message.name());
        names.extend(type_names(&name, &message.nested_type, &message.enum_type));
        names.push(name);
    }
    names
}

/// Use of a type by a field or RPC.
struct Use<'a> {
    /// The field or RPC, for an error's text.
    user: String,
    /// Name of the type, as descriptors refer to it.
    type_name: &'a str,
}

/// Lists the types that a file uses. Skipped RPCs use none.
fn uses<'a>(file: &'a FileDescriptorProto, skipped: &Skipped) -> Vec<Use<'a>> {
    let mut uses = Vec::new();
    for message in &file.message_type {
        let name = full_name(file.package(), message.name());
        collect_fields(&mut uses, &name, message);
    }
    for service in &file.service {
        let name = full_name(file.package(), service.name());
        for method in &service.method {
            let streams = method.client_streaming() || method.server_streaming();
            if !skipped.contains(&name, method.name(), streams) {
                let types = [method.input_type(), method.output_type()];
                uses.extend(types.map(|type_name| Use {
                    user: format!("RPC {name}.{}", method.name()),
                    type_name,
                }));
            }
        }
    }
    uses
}

fn collect_fields<'a>(uses: &mut Vec<Use<'a>>, name: &str, message: &'a DescriptorProto) {
    for field in &message.field {
        // A map is a repeated message with the fields `key` and `value`, nested in this message.
        let entry = message.nested_type.iter().find(|nested| {
            is_map_entry(nested)
                && wire_name(field.type_name()) == format!("{name}.{}", nested.name())
        });
        let value = entry.and_then(|entry| entry.field.iter().find(|each| each.name() == "value"));
        uses.push(Use {
            user: format!("field {name}.{}", field.name()),
            type_name: value.unwrap_or(field).type_name(),
        });
    }
    for nested in message
        .nested_type
        .iter()
        .filter(|each| !is_map_entry(each))
    {
        collect_fields(uses, &format!("{name}.{}", nested.name()), nested);
    }
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message
        .options
        .as_ref()
        .is_some_and(MessageOptions::map_entry)
}

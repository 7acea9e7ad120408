//! Compares the public proto with a table of every name, number, type and label. Deployed clients
//! depend on all of them: new fields and methods are added to the table by hand, and a line that
//! changes or disappears breaks clients.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed assumption fails the test"
)]

use std::fmt::Write as _;
use std::fs;

use prost_types::field_descriptor_proto::Label;
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto};

const DIR: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn public_proto_matches_the_wire_contract() {
    let contract = fs::read_to_string(format!("{DIR}/tests/wire_contract.txt")).unwrap();
    let compiled = table();
    let missing = |table: &str, from: &str| -> Vec<String> {
        let lines = table
            .lines()
            .filter(|line| !from.lines().any(|known| known == *line));
        lines.map(ToOwned::to_owned).collect()
    };
    let new = missing(&compiled, &contract);
    assert!(new.is_empty(), "not in the table:\n{}", new.join("\n"));
    let removed = missing(&contract, &compiled);
    assert!(
        removed.is_empty(),
        "not in the proto:\n{}",
        removed.join("\n")
    );
}

/// Lists each method, field and enum value of the proto on a line.
fn table() -> String {
    let set = protox::compile(
        ["coral/discovery/v1/discovery.proto"],
        [format!("{DIR}/../proto")],
    )
    .unwrap();
    let mut table = String::new();
    for file in set
        .file
        .iter()
        .filter(|file| file.package() == "coral.discovery.v1")
    {
        for service in &file.service {
            for method in &service.method {
                let stream = |streams| if streams { "stream " } else { "" };
                writeln!(
                    table,
                    "rpc /{}.{}/{} ({}{}) returns ({}{})",
                    file.package(),
                    service.name(),
                    method.name(),
                    stream(method.client_streaming()),
                    method.input_type(),
                    stream(method.server_streaming()),
                    method.output_type(),
                )
                .unwrap();
            }
        }
        for message in &file.message_type {
            fields(&mut table, file.package(), message);
        }
        for each in &file.enum_type {
            values(&mut table, file.package(), each);
        }
    }
    table
}

fn fields(table: &mut String, scope: &str, message: &DescriptorProto) {
    let name = format!("{scope}.{}", message.name());
    for field in &message.field {
        writeln!(table, "field {name} {}", describe(field)).unwrap();
    }
    for nested in &message.nested_type {
        fields(table, &name, nested);
    }
    for each in &message.enum_type {
        values(table, &name, each);
    }
}

fn describe(field: &FieldDescriptorProto) -> String {
    let type_name = match field.type_name() {
        "" => field
            .r#type()
            .as_str_name()
            .trim_start_matches("TYPE_")
            .to_lowercase(),
        name => name.to_owned(),
    };
    let label = match field.label() {
        Label::Repeated => "repeated",
        Label::Required => "required",
        Label::Optional if field.proto3_optional() => "optional",
        Label::Optional => "singular",
    };
    let (number, name, json) = (field.number(), field.name(), field.json_name());
    format!("{number} {name} ({json}) {label} {type_name}")
}

fn values(table: &mut String, scope: &str, each: &EnumDescriptorProto) {
    for value in &each.value {
        let (name, number) = (value.name(), value.number());
        writeln!(table, "value {scope}.{} {number} {name}", each.name()).unwrap();
    }
}

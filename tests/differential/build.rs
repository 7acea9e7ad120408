//! Generates the messages to compare: one of every kind of field, and the project's own.

fn main() {
    connect_codegen::Builder::new()
        .include("proto")
        .include("../../proto")
        .file("differential/v1/everything.proto")
        .file("coral/discovery/v1/discovery.proto")
        .run();
}

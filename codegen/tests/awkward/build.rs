//! Generates from protos whose names collide with those of Rust and of generated code.

fn main() {
    connect_codegen::Builder::new()
        .include("proto")
        .file("no_package.proto")
        .file("prelude.proto")
        .file("type/async/v1/keywords.proto")
        .internal("internal.proto")
        .bytes(".awkward.internal.v1.Bytes.bytes")
        .bytes(".awkward.v1")
        .type_registry()
        .run();
}

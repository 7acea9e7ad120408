//! Generates from protos whose names get in each other's way.

fn main() {
    connect_codegen::Builder::new()
        .include("proto")
        .file("homeless.proto")
        .file("prelude.proto")
        .file("type/async/v1/keywords.proto")
        .run();
}

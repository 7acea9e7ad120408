//! Generates the public service and the admin service.

fn main() {
    connect_codegen::Builder::new()
        .include("proto")
        .file("coral/discovery/v1/discovery.proto")
        .file("coral/discovery/admin/v1/admin.proto")
        .run();
}

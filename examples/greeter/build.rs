//! Generates messages, codecs, the service trait, the router and the client from the proto.

fn main() {
    connect_codegen::Builder::new()
        .include("proto")
        .file("greeter/v1/greeter.proto")
        .run();
}

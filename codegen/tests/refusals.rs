//! Protos that cannot become Rust are refused before anything is written. The error names the
//! element and its file.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed assumption fails the test"
)]

use std::fs;

use connect_codegen::Builder;

/// Generates from one proto file with that body, and returns the error's text.
fn error(body: &str) -> String {
    let proto = format!("syntax = \"proto3\";\npackage test.v1;\nmessage M {{}}\n{body}\n");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("test.proto"), proto).unwrap();
    let out_dir = folder.path().join("out");
    let generated = Builder::new()
        .include(folder.path())
        .file("test.proto")
        .out_dir(&out_dir)
        .generate();
    assert!(!out_dir.exists(), "something was written");
    generated.unwrap_err().to_string()
}

#[test]
fn errors_name_the_element_and_its_file() {
    for (body, texts) in [
        (
            "service S { rpc Watch(M) returns (stream M); }",
            ["RPC test.v1.S.Watch (test.proto)", "streams"],
        ),
        (
            "service S { rpc Send(stream M) returns (M); }",
            ["RPC test.v1.S.Send (test.proto)", "streams"],
        ),
        (
            "service S { rpc GetIt(M) returns (M); rpc getIt(M) returns (M); }",
            [
                "RPC test.v1.S.GetIt (test.proto) and RPC test.v1.S.getIt (test.proto)",
                "`get_it`",
            ],
        ),
        (
            "message FooBar {} message Foo_Bar {}",
            [
                "message test.v1.FooBar (test.proto)",
                "message test.v1.Foo_Bar (test.proto)",
            ],
        ),
        (
            "message Sensor {} enum sensor { A = 0; }",
            [
                "message test.v1.Sensor (test.proto)",
                "enum test.v1.sensor (test.proto)",
            ],
        ),
        (
            "message Mail {} service Mail2 {} service Mail_2 {}",
            [
                "service test.v1.Mail2 (test.proto)",
                "service test.v1.Mail_2 (test.proto)",
            ],
        ),
        (
            "message SClient {} service S {}",
            [
                "message test.v1.SClient (test.proto)",
                "service test.v1.S (test.proto)",
            ],
        ),
        (
            "message DoIt { message Inner {} } service DoIt2 {} service Do_it {}",
            [
                "message test.v1.DoIt (test.proto)",
                "service test.v1.Do_it (test.proto)",
            ],
        ),
        (
            "message Broken { string a = 1; string b = 1; }",
            ["test.proto", "1"],
        ),
        (
            "message Broken { Missing m = 1; }",
            ["test.proto", "Missing"],
        ),
        ("import \"missing.proto\";", ["missing.proto", "not found"]),
    ] {
        let text = error(body);
        for expected in texts {
            assert!(
                text.contains(expected),
                "{body}\nwants {expected:?}, got: {text}"
            );
        }
    }
}

/// Generates a service with one unary and two streaming RPCs, of which `skip` skips some.
fn generate(skip: impl FnOnce(Builder) -> Builder) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let proto = "syntax = \"proto3\"; package test.v1; message M {}
        service S {
            rpc Do(M) returns (M);
            rpc Watch(M) returns (stream M);
            rpc Send(stream M) returns (M);
        }";
    fs::write(folder.path().join("test.proto"), proto).unwrap();
    let builder = Builder::new()
        .include(folder.path())
        .file("test.proto")
        .out_dir(folder.path());
    skip(builder)
        .generate()
        .map_err(|error| error.to_string())?;
    Ok(fs::read_to_string(folder.path().join("test.v1.connect.rs")).unwrap())
}

#[test]
fn skipped_rpcs_are_not_generated() {
    let generated = generate(|builder| {
        builder
            .skip_method("test.v1.S.Watch")
            .skip_method("test.v1.S.Send")
    });
    let generated = generated.unwrap();
    assert!(generated.contains("/test.v1.S/Do"));
    assert!(!generated.contains("/test.v1.S/Watch") && !generated.contains("/test.v1.S/Send"));
    assert_eq!(generate(Builder::skip_streaming).unwrap(), generated);
    let without = generate(|builder| builder.skip_streaming().skip_method("test.v1.S.Do"));
    assert!(!without.unwrap().contains("/test.v1.S/Do"));
}

#[test]
fn only_named_rpcs_are_skipped() {
    let text = generate(|builder| builder.skip_method("test.v1.S.Watch")).unwrap_err();
    assert!(
        text.contains("RPC test.v1.S.Send (test.proto) streams")
            && text.contains(".skip_method(\"test.v1.S.Send\")"),
        "{text}"
    );
    let text = generate(|builder| builder.skip_method("S.Watch")).unwrap_err();
    assert!(
        text.contains("`.skip_method(\"S.Watch\")` names no RPC")
            && text.contains("test.v1.S.Watch"),
        "{text}"
    );
}

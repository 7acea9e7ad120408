//! What cannot become Rust is refused before anything is written, in words that name it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it cannot go on"
)]

use std::fs;

/// Generates from the body of one proto file and returns the error's text.
fn refusal(body: &str) -> String {
    refusal_of(&format!(
        "syntax = \"proto3\";\npackage test.v1;\nmessage M {{}}\n{body}\n"
    ))
}

fn refusal_of(proto: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("test.proto"), proto).unwrap();
    let out_dir = folder.path().join("out");
    let generated = connect_codegen::Builder::new()
        .include(folder.path())
        .file("test.proto")
        .out_dir(&out_dir)
        .generate();
    assert!(!out_dir.exists(), "something was written");
    generated.unwrap_err().to_string()
}

#[test]
fn refusals_name_what_is_wrong_and_where() {
    for (body, texts) in [
        (
            "service S { rpc Watch(M) returns (stream M); }",
            ["RPC S.Watch (test.proto)", "streams"],
        ),
        (
            "service S { rpc Send(stream M) returns (M); }",
            ["RPC S.Send (test.proto)", "streams"],
        ),
        (
            "service S { rpc GetIt(M) returns (M); rpc getIt(M) returns (M); }",
            [
                "RPC S.GetIt (test.proto) and RPC S.getIt (test.proto)",
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
        let text = refusal(body);
        for expected in texts {
            assert!(
                text.contains(expected),
                "{body}\nwants {expected:?}, got: {text}"
            );
        }
    }
}

#[test]
fn a_file_without_a_package_is_refused() {
    let text = refusal_of("syntax = \"proto3\"; message M {}");
    assert!(text.contains("test.proto has no package"), "{text}");
}

//! Messages without a JSON form.

#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use std::fs;

use connect_codegen::Builder;

const PROTO: &str = r#"
    syntax = "proto3";
    package inner.v1;
    message Outer { message Nested { int32 number = 1; } Nested nested = 1; map<string, int32> map = 2; Kind kind = 3; }
    enum Kind { KIND_UNSPECIFIED = 0; }
"#;

/// What is generated as the JSON of the proto, binary only or not.
fn json(binary_only: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("inner.proto"), PROTO).unwrap();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    let builder = Builder::new().include(folder.path()).file("inner.proto");
    let builder = if binary_only {
        builder.binary_only("inner.proto")
    } else {
        builder
    };
    builder.out_dir(&out).generate().unwrap();
    fs::read_to_string(out.join("inner.v1.json.rs")).unwrap()
}

#[test]
fn every_message_refuses_and_nothing_else_is_generated() {
    let refusing = json(true);
    for message in ["Outer", "outer::Nested"] {
        assert!(refusing.contains(&format!("Serialize for {message} ")));
        assert!(refusing.contains(&format!("Deserialize<'de> for {message} ")));
    }
    assert_eq!(refusing.matches("has no JSON form").count(), 4);
    assert!(!refusing.contains("Kind"));
    assert!(json(false).contains("Kind"));
}

#[test]
fn a_file_that_is_not_generated_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("inner.proto"), PROTO).unwrap();
    let builder = Builder::new().include(folder.path()).file("inner.proto");
    let generated = builder
        .binary_only("outer.proto")
        .out_dir(folder.path())
        .generate();
    let error = generated.unwrap_err().to_string();
    assert!(error.contains("outer.proto"), "{error}");
}

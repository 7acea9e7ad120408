//! Files whose services are internal.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed assumption fails the test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use connect_codegen::Builder;
use tempfile::TempDir;

const INTERNAL: &str = r#"
    syntax = "proto3";
    package inner.v1;
    import "shared.proto";
    service Inner { rpc Do(Outer) returns (shared.v1.Shared); }
    message Outer {
        message Nested { int32 number = 1; }
        Nested nested = 1;
        map<string, Kind> kinds = 2;
    }
    enum Kind { KIND_UNSPECIFIED = 0; }
"#;

const SHARED: &str = r#"
    syntax = "proto3";
    package shared.v1;
    message Shared { string text = 1; }
"#;

/// Returns a folder with `inner.proto`, which imports `shared.proto`, and `main.proto` with `main`.
fn folder(main: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let main = format!(
        "syntax = \"proto3\"; package main.v1; import \"inner.proto\"; message M {{}} {main}"
    );
    for (file, proto) in [
        ("inner.proto", INTERNAL),
        ("shared.proto", SHARED),
        ("main.proto", &main),
    ] {
        fs::write(folder.path().join(file), proto).unwrap();
    }
    fs::create_dir(folder.path().join("out")).unwrap();
    folder
}

fn builder(folder: &TempDir) -> Builder {
    Builder::new()
        .include(folder.path())
        .out_dir(folder.path().join("out"))
}

fn outputs(folder: &TempDir) -> BTreeSet<String> {
    fs::read_dir(folder.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn output(folder: &TempDir, file: &str) -> String {
    fs::read_to_string(folder.path().join("out").join(file)).unwrap()
}

/// Generates `main.proto` with `main`, and `inner.proto` as an internal file.
fn error(main: &str) -> String {
    let folder = folder(main);
    let generated = builder(&folder)
        .file("main.proto")
        .internal("inner.proto")
        .generate();
    generated.unwrap_err().to_string()
}

#[test]
fn internal_messages_have_no_json_form() {
    let folder = folder("");
    builder(&folder).internal("inner.proto").generate().unwrap();
    assert_eq!(
        outputs(&folder),
        [
            "inner.v1.connect.rs",
            "inner.v1.rs",
            "protos.rs",
            "shared.v1.json.rs",
            "shared.v1.rs"
        ]
        .map(ToOwned::to_owned)
        .into()
    );
    let service = output(&folder, "inner.v1.connect.rs");
    assert!(service.contains("pub async fn dispatch<S: super::Inner>("));
    assert!(!service.contains("route") && !service.contains("Context"));
}

#[test]
fn packages_may_have_internal_and_public_files() {
    let folder = folder("");
    let public = "syntax = \"proto3\"; package inner.v1; message OuterToo {} service Public {}";
    fs::write(folder.path().join("public.proto"), public).unwrap();
    builder(&folder)
        .file("public.proto")
        .internal("inner.proto")
        .type_registry()
        .generate()
        .unwrap();
    let json = output(&folder, "inner.v1.json.rs");
    assert!(json.contains("for self::OuterToo {"));
    assert!(!json.contains("self::Outer {") && !json.contains("Nested") && !json.contains("Kind"));
    let connect = output(&folder, "inner.v1.connect.rs");
    assert!(connect.contains("TYPES: [::connect::json::AnyType; 1]"));
    assert!(connect.contains("AnyType::new::<OuterToo>(\"inner.v1.OuterToo\")"));
    assert!(connect.contains("Inner for InnerClient<T>"));
    assert!(connect.contains("Transport> PublicClient<T>"));
}

#[test]
fn type_registry_is_generated_on_request_and_without_internal_messages() {
    for requested in [false, true] {
        let folder = folder("service Main { rpc Do(M) returns (M); }");
        let mut builder = builder(&folder).file("main.proto").internal("inner.proto");
        if requested {
            builder = builder.type_registry();
        }
        builder.generate().unwrap();
        let main = output(&folder, "main.v1.connect.rs");
        assert_eq!(main.contains("pub static TYPES"), requested);
        assert_eq!(outputs(&folder).contains("shared.v1.connect.rs"), requested);
        assert!(!output(&folder, "inner.v1.connect.rs").contains("TYPES"));
    }
}

#[test]
fn public_files_must_not_use_internal_types() {
    for (main, texts) in [
        (
            "message Has { inner.v1.Outer outer = 1; }",
            [
                "field main.v1.Has.outer (main.proto)",
                "inner.v1.Outer (inner.proto)",
            ],
        ),
        (
            "message Has { message In { repeated inner.v1.Outer.Nested all = 1; } }",
            [
                "field main.v1.Has.In.all (main.proto)",
                "inner.v1.Outer.Nested (inner.proto)",
            ],
        ),
        (
            "message Has { map<int32, inner.v1.Kind> kinds = 1; }",
            [
                "field main.v1.Has.kinds (main.proto)",
                "inner.v1.Kind (inner.proto)",
            ],
        ),
        (
            "service S { rpc Take(inner.v1.Outer) returns (M); }",
            [
                "RPC main.v1.S.Take (main.proto)",
                "inner.v1.Outer (inner.proto)",
            ],
        ),
        (
            "service S { rpc Give(M) returns (inner.v1.Outer); }",
            [
                "RPC main.v1.S.Give (main.proto)",
                "inner.v1.Outer (inner.proto)",
            ],
        ),
    ] {
        let text = error(main);
        for expected in texts {
            assert!(
                text.contains(expected),
                "{main}\nwants {expected:?}, got: {text}"
            );
        }
        assert!(text.contains("internal"), "{text}");
    }
}

#[test]
fn skipped_rpc_may_use_internal_types() {
    let folder = folder("service S { rpc Take(inner.v1.Outer) returns (M); }");
    builder(&folder)
        .file("main.proto")
        .internal("inner.proto")
        .skip_method("main.v1.S.Take")
        .generate()
        .unwrap();
}

#[test]
fn both_files_may_be_internal() {
    let folder = folder("message Has { inner.v1.Outer outer = 1; }");
    builder(&folder)
        .internal("main.proto")
        .internal("inner.proto")
        .generate()
        .unwrap();
    assert!(!outputs(&folder).contains("main.v1.json.rs"));
}

#[test]
fn rpcs_of_internal_services_are_checked_and_skipped_like_all_others() {
    let folder = folder("service S { rpc Watch(M) returns (stream M); rpc Do(M) returns (M); }");
    let builder = builder(&folder).internal("main.proto");
    let error = builder.clone().generate().unwrap_err().to_string();
    assert!(
        error.contains("RPC main.v1.S.Watch (main.proto) streams"),
        "{error}"
    );
    builder.skip_streaming().generate().unwrap();
    let service = output(&folder, "main.v1.connect.rs");
    assert!(service.contains("\"Do\" => {") && !service.contains("Watch"));
}

#[test]
fn internal_file_may_be_given_by_its_absolute_path() {
    let folder = folder("");
    let path = folder.path().join("inner.proto");
    builder(&folder).internal(path).generate().unwrap();
    assert!(!outputs(&folder).contains("inner.v1.json.rs"));
}

#[test]
fn file_that_is_both_public_and_internal_is_an_error() {
    let folder = folder("");
    let twice = builder(&folder).file("inner.proto");
    for internal in [Path::new("inner.proto"), &folder.path().join("inner.proto")] {
        let generated = twice.clone().internal(internal).generate();
        let error = generated.unwrap_err().to_string();
        assert!(
            error.starts_with("inner.proto was added with `.file(..)` and"),
            "{error}"
        );
    }
}

#[test]
fn internal_file_that_does_not_exist_is_an_error() {
    let folder = folder("");
    let generated = builder(&folder).internal("missing.proto").generate();
    let error = generated.unwrap_err().to_string();
    assert!(error.contains("missing.proto"), "{error}");
}

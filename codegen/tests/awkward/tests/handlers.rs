//! Compiler errors for mistakes in handlers. `cargo xtask bless` rewrites the texts, which change
//! between versions of Rust.

#[test]
fn compiler_names_the_mistake_in_a_handler() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/handlers/right.rs");
    cases.compile_fail("tests/handlers/missing.rs");
    cases.compile_fail("tests/handlers/wrong_request.rs");
    cases.compile_fail("tests/handlers/wrong_response.rs");
    cases.compile_fail("tests/handlers/not_async.rs");
}

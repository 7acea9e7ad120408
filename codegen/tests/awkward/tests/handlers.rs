//! What the compiler tells an author of handlers. `cargo xtask bless` writes the texts anew, as they
//! change between versions of Rust.

#[test]
fn the_compiler_names_what_is_wrong_with_a_handler() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/handlers/right.rs");
    cases.compile_fail("tests/handlers/missing.rs");
    cases.compile_fail("tests/handlers/wrong_request.rs");
    cases.compile_fail("tests/handlers/wrong_answer.rs");
    cases.compile_fail("tests/handlers/not_async.rs");
}

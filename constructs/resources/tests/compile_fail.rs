//! What the compiler says about mistakes in an app. The texts are part of the interface, so they are kept beside the
//! mistakes; `TRYBUILD=overwrite` writes them anew.

#[test]
fn mistakes_do_not_compile_and_the_compiler_says_why() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}

//! What is taken for a query, and what is not.

use super::*;

fn is_query(document: &str) -> bool {
    let body = serde_json::json!({ "query": document, "variables": {}, "operationName": null });
    operation(body.to_string().as_bytes()) == Operation::Query
}

#[test]
fn queries_are_told() {
    for document in [
        "{ a }",
        "query { a }",
        "query Q($id: ID = \"}\", $in: In = {a: [1, 2], b: {c: 1}}) @live(if: true) { run(id: $id) { info { name } } }",
        "# mutation\nquery Q { a } fragment F on Run { b }",
        "fragment F on Run { b } query { ...F }",
        "{ a(text: \"mutation { b }\") }",
        "{ a(text: \"\"\"} mutation \\\"\"\" { b }\"\"\") }",
        "{ a(text: \"\\\"}\") }",
        "query A { a } query B { b }",
        "\u{feff}{ a, b }",
        "query MlflowGetExperimentQuery($input: MlflowGetExperimentInput!) @component(name: \"X\") { \
         mlflowGetExperiment(input: $input) { __typename experiment { artifactLocation } } }",
    ] {
        assert!(is_query(document), "{document}");
    }
}

#[test]
fn what_may_change_something_is_no_query() {
    for document in [
        "mutation { a }",
        "mutation M { a }",
        "subscription { a }",
        "query Q { a } mutation M { b }",
        "{ a } mutation M { b }",
        "fragment F on Run { b } mutation { ...F }",
        "query Q($a: String = \"{\") { a } mutation { b }",
        "{ a(text: \"\\\\\") } mutation { b(text: \"\") }",
        "{ a(text: \"\"\"\\\"\"\"\"\"\") } mutation { b }",
        "# {\nmutation { a }",
        "query #\r mutation\n{ a } mutation { b }",
        "extend type Q { a }",
        "type Q { a }",
    ] {
        assert!(!is_query(document), "{document}");
    }
}

#[test]
fn what_cannot_be_told_is_no_query() {
    for document in [
        "",
        "#",
        "query",
        "query {",
        "{ a ",
        "{ a ) }",
        "{ a } }",
        "fragment F on Run { b }",
        "{ a(b: \"c) }",
        "{ a ^ b }",
        "{ \u{200b} a }",
        "query Q ) { a }",
        "{ a(b: \"x\ny\") }",
        "Query { a }",
    ] {
        assert!(!is_query(document), "{document}");
    }
}

#[test]
fn bodies_that_others_may_read_otherwise_are_no_queries() {
    for body in [
        r#"{"query":"{ a }","query":"mutation { b }"}"#,
        r#"{"query":"mutation { b }","query":"{ a }"}"#,
        r#"[{"query":"{ a }"}]"#,
        r#""{\"query\":\"{ a }\"}""#,
        r#"{"query":["{ a }"]}"#,
        r#"{"query":"{ a }"} {"query":"mutation { b }"}"#,
        r#"{"qu\u0065ry":"{ a }","query":"mutation { b }"}"#,
        "{ a }",
        "query={a}",
        "{}",
        "",
    ] {
        assert_eq!(operation(body.as_bytes()), Operation::Other, "{body}");
    }
    assert_eq!(operation(b"\xff\xfe{\0}\0"), Operation::Other, "UTF-16");
    assert_eq!(operation(br#"{"qu\u0065ry":"{ a }"}"#), Operation::Query);
}

proptest::proptest! {
    #![proptest_config(crate::fuzzing::inputs())]

    #[test]
    fn any_text_is_understood_or_not(text in "[a-z{}()\\[\\]\"#\\\\$:,! \n]{0,60}") {
        let _ = only_queries(&text);
    }

    /// Whatever stands before it as a definition, a mutation is seen.
    #[test]
    fn a_mutation_is_seen(text in "[a-z{}()\\[\\]\"#\\\\$:,! \n]{0,40}") {
        let document = format!("{text} mutation M {{ b }}");
        if only_queries(&document) {
            // Only where the text has made the rest a comment, a string or a part of what it opened.
            proptest::prop_assert!(text.contains(['#', '"', '{']), "{}", document);
        }
    }
}

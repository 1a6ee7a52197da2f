//! Which strings are places, and that cutting a text into pieces makes no difference.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const RUNS: Fields = &["artifact_uri"];
const EXPERIMENTS: Fields = &["artifact_location"];
const MODEL_VERSIONS: Fields = &["source", "storage_location"];
const TRACES: Fields = &[scanner::TRACE_TAG];

fn root() -> Arc<Root> {
    Arc::new(Root::parse("s3://bucket/pre").unwrap())
}

fn scan(fields: Fields, direction: Direction, pieces: &[&[u8]]) -> String {
    let mut scanner = Scanner::new(fields, direction, root());
    let mut text = Vec::new();
    for piece in pieces {
        scanner.feed(&Bytes::copy_from_slice(piece)).iter().for_each(|piece| text.extend_from_slice(piece));
    }
    scanner.finish().iter().for_each(|piece| text.extend_from_slice(piece));
    String::from_utf8(text).unwrap()
}

fn told(fields: Fields, text: &str) -> String {
    scan(fields, Direction::ToClient, &[text.as_bytes()])
}

fn sent(fields: Fields, text: &str) -> String {
    scan(fields, Direction::ToBucket, &[text.as_bytes()])
}

#[test]
fn a_runs_place_is_told_as_the_proxys() {
    let answer = json!({"run": {
        "info": {"run_id": "abc", "artifact_uri": "s3://bucket/pre/1/abc/artifacts"},
        "data": {"params": [{"key": "artifact_uri", "value": "s3://bucket/pre/1/abc/artifacts"}],
                 "tags": [{"key": "note \"artifact_uri\": \"s3://bucket/pre/x\"", "value": "\"artifact_uri\": \"s3://bucket/pre/x\""}]},
        "inputs": {"dataset_inputs": [{"dataset": {"source": "s3://bucket/pre/data.csv"}}]}}});
    for text in [answer.to_string(), serde_json::to_string_pretty(&answer).unwrap()] {
        let expected =
            text.replacen("s3://bucket/pre/1/abc/artifacts", "mlflow-artifacts:/1/abc/artifacts", 2);
        // The parameter of the same value comes first in the text, and is nobody's place.
        let expected = expected.replacen("\"value\":\"mlflow-artifacts:", "\"value\":\"s3://bucket/pre", 1);
        let expected = expected.replacen("\"value\": \"mlflow-artifacts:", "\"value\": \"s3://bucket/pre", 1);
        assert_eq!(told(RUNS, &text), expected);
    }
}

#[test]
fn other_places_and_other_text_stay_byte_for_byte() {
    for text in [
        r#"{"artifact_uri":"s3://other/pre/1"}"#,
        r#"{"artifact_uri":"s3://bucket/prefix/1"}"#,
        r#"{"artifact_uri":"runs:/1/model"}"#,
        r#"{"artifact_uri":"models:\/m-1"}"#,
        r#"{"artifact_uri":["s3://bucket/pre/1"]}"#,
        r#"{"artifact_uri":{"x":"s3://bucket/pre/1"}}"#,
        r#"{"artifact_uri":null,"x":"s3://bucket/pre/1"}"#,
        r#"{"artifact_uri":12,"x":"s3://bucket/pre/1"}"#,
        r#"{"artifact_location":"s3://bucket/pre/1"}"#,
        r#"{"x":"artifact_uri","y":"s3://bucket/pre/1"}"#,
        r#"["artifact_uri","s3://bucket/pre/1"]"#,
        r#"{"artifact_uri_of_something_with_a_long_name":"s3://bucket/pre/1"}"#,
        r#"{"artifact_uri":"s3://bucket/pre/\ud800"}"#,
        r#"{"artifact_uri":"s3://bucket/pre/1"#,
        r#"{"artifact_uri":"\"#,
        "not JSON at all \" : { \\ \"",
        "",
    ] {
        assert_eq!(told(RUNS, text), text);
    }
}

#[test]
fn escapes_are_understood() {
    let text = r#"{"artifact_uri" : "s3:\/\/bucket\/pre\/a\u00fc\"\u0022/\\"}"#;
    assert_eq!(told(RUNS, text), text, "a backslash is no path of ours");
    let text = r#"{"artifact_uri"	:
        "s3:\/\/bucket\/pre\/a\u00fc \"b\""}"#;
    let rewritten: Value = serde_json::from_str(&told(RUNS, text)).unwrap();
    assert_eq!(rewritten["artifact_uri"], "mlflow-artifacts:/aü \"b\"");
}

#[test]
fn a_long_string_goes_through() {
    let text = json!({"artifact_uri": format!("s3://bucket/pre/{}", "x".repeat(VALUE))}).to_string();
    assert_eq!(told(RUNS, &text), text);
    let text = format!("{text}{}", r#"{"artifact_uri":"s3://bucket/pre/1"}"#);
    assert!(told(RUNS, &text).ends_with(r#"{"artifact_uri":"mlflow-artifacts:/1"}"#));
}
const VALUE: usize = scanner::VALUE_LIMIT + 1;

#[test]
fn traces_have_their_tag_in_both_forms() {
    let third = r#"{"trace_info":{"tags":{"mlflow.artifactLocation":"s3://bucket/pre/1/traces/tr-1/artifacts","artifact_uri":"s3://bucket/pre/x"}}}"#;
    assert_eq!(told(TRACES, third), third.replacen("s3://bucket/pre/1", "mlflow-artifacts:/1", 1));
    let second = r#"{"tags":[{"key":"k","value":"s3://bucket/pre/x"},{"key":"mlflow.artifactLocation","value":"s3://bucket/pre/1"},{"key":"l","value":"s3://bucket/pre/y"}]}"#;
    assert_eq!(told(TRACES, second), second.replace("\"s3://bucket/pre/1\"", "\"mlflow-artifacts:/1\""));
    assert_eq!(sent(TRACES, &told(TRACES, second)), second);
}

#[test]
fn what_a_client_sends_is_turned_back() {
    assert_eq!(
        sent(EXPERIMENTS, r#"{"name": "n", "artifact_location": "mlflow-artifacts:/my/place"}"#),
        r#"{"name": "n", "artifact_location": "s3://bucket/pre/my/place"}"#
    );
    let version = r#"{"name":"m","source":"mlflow-artifacts:/1/models/m-1/artifacts","run_id":"abc"}"#;
    assert_eq!(sent(MODEL_VERSIONS, version), version.replace("mlflow-artifacts:", "s3://bucket/pre"));
    for same in [
        r#"{"source":"models:/m-1"}"#,
        r#"{"source":"runs:/abc/model"}"#,
        r#"{"source":"mlflow-artifacts://elsewhere/1"}"#,
        r#"{"source":"mlflow-artifacts:/../1"}"#,
    ] {
        assert_eq!(sent(MODEL_VERSIONS, same), same);
    }
}

fn response(kind: &'static str, body: &str) -> Response<Body> {
    let length = body.len();
    Response::builder()
        .header(CONTENT_TYPE, kind)
        .header(CONTENT_LENGTH, length)
        .body(full(body.to_owned()))
        .unwrap()
}

async fn text(body: Body) -> String {
    String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

const RUN: &str = r#"{"artifact_uri":"s3://bucket/pre/1"}"#;
const RUN_TOLD: &str = r#"{"artifact_uri":"mlflow-artifacts:/1"}"#;

#[tokio::test]
async fn a_small_answer_keeps_an_exact_length() {
    for kind in
        ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/x+json"]
    {
        let answer = rewrite_response(response(kind, RUN), RUNS, &root()).await;
        assert!(!answer.headers().contains_key(CONTENT_LENGTH), "the server finds it anew");
        assert_eq!(answer.body().size_hint().exact(), Some(RUN_TOLD.len() as u64));
        assert_eq!(text(answer.into_body()).await, RUN_TOLD);
    }
}

#[tokio::test]
async fn what_is_not_plain_json_is_left_alone() {
    for kind in [
        "text/plain",
        "text/html",
        "application/jsonl",
        "application/octet-stream",
        "json",
        "text/event-stream",
    ] {
        let answer = rewrite_response(response(kind, RUN), RUNS, &root()).await;
        assert!(answer.headers().contains_key(CONTENT_LENGTH));
        assert_eq!(text(answer.into_body()).await, RUN);
    }
    let mut packed = response("application/json", RUN);
    packed.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    assert_eq!(text(rewrite_response(packed, RUNS, &root()).await.into_body()).await, RUN);
    let elsewhere = rewrite_response(response("application/json", RUN), &[], &root()).await;
    assert_eq!(text(elsewhere.into_body()).await, RUN);
}

#[tokio::test]
async fn a_large_answer_streams_and_a_cut_one_breaks_off() {
    let many = format!("[{}]", vec![RUN; 5000].join(","));
    let answer = rewrite_response(response("application/json", &many), RUNS, &root()).await;
    assert_eq!(answer.body().size_hint().exact(), None);
    assert_eq!(text(answer.into_body()).await, many.replace(RUN, RUN_TOLD));

    let frames = [Ok(Frame::data(Bytes::from(RUN))), Err(BodyError::from("cut"))];
    let body = http_body_util::StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync();
    let mut cut = response("application/json", RUN);
    *cut.body_mut() = body;
    let answer = rewrite_response(cut, RUNS, &root()).await;
    assert_eq!(answer.into_body().collect().await.unwrap_err().to_string(), "cut");
}

#[tokio::test]
async fn a_request_asks_for_plain_answers_and_loses_its_length() {
    let request = Request::post("/api/2.0/mlflow/experiments/create")
        .header(CONTENT_LENGTH, 1)
        .header(ACCEPT_ENCODING, "gzip")
        .body(full(r#"{"artifact_location":"mlflow-artifacts:/x"}"#))
        .unwrap();
    let request = rewrite_request(request, EXPERIMENTS, EXPERIMENTS, &root());
    assert_eq!(request.headers()[ACCEPT_ENCODING], "identity");
    assert!(!request.headers().contains_key(CONTENT_LENGTH));
    assert_eq!(text(request.into_body()).await, r#"{"artifact_location":"s3://bucket/pre/x"}"#);
}

/// JSON with places in it, real and seeming.
fn documents() -> impl Strategy<Value = Value> {
    let strings = prop_oneof![
        Just("s3://bucket/pre/1/é \"x\"".to_owned()),
        Just("s3://bucket/pre".to_owned()),
        Just("mlflow.artifactLocation".to_owned()),
        Just("artifact_uri".to_owned()),
        "[a-z\"\\\\:{},é\n]{0,8}",
    ];
    let names = prop_oneof![
        Just("artifact_uri".to_owned()),
        Just("mlflow.artifactLocation".to_owned()),
        Just("key".to_owned()),
        Just("value".to_owned()),
        "[a-z\"\\\\é]{0,6}",
    ];
    let leaf =
        prop_oneof![strings.prop_map(Value::from), any::<i32>().prop_map(Value::from), Just(Value::Null)];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The same rewriting over parsed JSON, as the second opinion.
fn rewritten(value: &Value, name: Option<&str>) -> Value {
    match value {
        Value::String(text) if name == Some("artifact_uri") => {
            root().to_client(text).map_or_else(|| value.clone(), Value::from)
        }
        Value::Array(items) => items.iter().map(|item| rewritten(item, None)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), rewritten(value, Some(name)))).collect()
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(crate::fuzzing::inputs())]

    #[test]
    fn cutting_makes_no_difference(document in documents(), pretty: bool, cuts in prop::collection::vec(0usize..600, 0..8)) {
        let text = if pretty { serde_json::to_string_pretty(&document).unwrap() } else { document.to_string() };
        for fields in [RUNS, TRACES] {
            let whole = told(fields, &text);
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
            places.extend([0, text.len()]);
            places.sort_unstable();
            let pieces: Vec<&[u8]> = places.windows(2).map(|pair| &text.as_bytes()[pair[0]..pair[1]]).collect();
            prop_assert_eq!(&scan(fields, Direction::ToClient, &pieces), &whole);
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            prop_assert_eq!(&scan(fields, Direction::ToClient, &bytes), &whole);
            prop_assert_eq!(&told(fields, &whole), &whole, "once is enough");
        }
    }

    #[test]
    fn it_agrees_with_a_parser(document in documents()) {
        let text = told(RUNS, &document.to_string());
        prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), rewritten(&document, None));
    }

    #[test]
    fn what_was_told_leads_back(document in documents()) {
        let text = document.to_string();
        let back = sent(RUNS, &told(RUNS, &text));
        prop_assert_eq!(serde_json::from_str::<Value>(&back).unwrap(), document);
    }

    #[test]
    fn bytes_that_are_no_json_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut scanner = Scanner::new(TRACES, Direction::ToClient, root());
        let mut out = Vec::new();
        for piece in bytes.chunks(7) {
            scanner.feed(&Bytes::copy_from_slice(piece)).iter().for_each(|piece| out.extend_from_slice(piece));
        }
        scanner.finish().iter().for_each(|piece| out.extend_from_slice(piece));
        prop_assert_eq!(out, bytes);
    }
}

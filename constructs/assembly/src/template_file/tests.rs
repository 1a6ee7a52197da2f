use serde_json::json;

use super::*;

fn read(name: &str, text: &str) -> TemplateFile {
    TemplateFile::from_bytes(name, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn value(yaml: &str) -> Value {
    read("t.yaml", &format!("a: {yaml}")).into_value()["a"].take()
}

fn error(name: &str, text: impl AsRef<[u8]>) -> String {
    TemplateFile::from_bytes(name, text.as_ref()).expect_err("must be refused").to_string()
}

#[test]
fn short_forms_become_long() {
    for (short, long) in [
        ("!Ref B", json!({"Ref": "B"})),
        ("!GetAtt B.Arn", json!({"Fn::GetAtt": ["B", "Arn"]})),
        ("!GetAtt B.Outputs.Arn", json!({"Fn::GetAtt": ["B", "Outputs.Arn"]})),
        ("!GetAtt [B, Arn]", json!({"Fn::GetAtt": ["B", "Arn"]})),
        ("!Sub '${B}-x'", json!({"Fn::Sub": "${B}-x"})),
        ("!Sub ['${B}', {B: !Ref C}]", json!({"Fn::Sub": ["${B}", {"B": {"Ref": "C"}}]})),
        ("!Join ['', [a, !Ref B]]", json!({"Fn::Join": ["", ["a", {"Ref": "B"}]]})),
        ("!Select [0, !GetAZs '']", json!({"Fn::Select": [0, {"Fn::GetAZs": ""}]})),
        ("!Split [',', x]", json!({"Fn::Split": [",", "x"]})),
        ("!FindInMap [M, a, b]", json!({"Fn::FindInMap": ["M", "a", "b"]})),
        ("!If [C, 1, !Ref AWS::NoValue]", json!({"Fn::If": ["C", 1, {"Ref": "AWS::NoValue"}]})),
        ("!Not [!Condition C]", json!({"Fn::Not": [{"Condition": "C"}]})),
        (
            "!And [!Equals [a, b], !Or [c, d]]",
            json!({"Fn::And": [{"Fn::Equals": ["a", "b"]}, {"Fn::Or": ["c", "d"]}]}),
        ),
        ("!Base64 {Fn::Sub: x}", json!({"Fn::Base64": {"Fn::Sub": "x"}})),
        ("!Cidr [10.0.0.0/16, 4, 8]", json!({"Fn::Cidr": ["10.0.0.0/16", 4, 8]})),
        ("!ImportValue x", json!({"Fn::ImportValue": "x"})),
        ("!Transform {Name: AWS::Include}", json!({"Fn::Transform": {"Name": "AWS::Include"}})),
        ("!Length [1]", json!({"Fn::Length": [1]})),
        ("!ToJsonString {a: 1}", json!({"Fn::ToJsonString": {"a": 1}})),
        (
            "!GetStackOutput {StackName: s, OutputName: o}",
            json!({"Fn::GetStackOutput": {"StackName": "s", "OutputName": "o"}}),
        ),
    ] {
        assert_eq!(value(short), long, "{short}");
    }
}

#[test]
fn scalars_are_read_as_cloudformation_reads_them() {
    for (yaml, json) in [
        ("2012-10-17", json!("2012-10-17")),
        ("012345678901", json!("012345678901")),
        ("123456789012", json!(123_456_789_012_u64)),
        ("yes", json!(true)),
        ("Off", json!(false)),
        ("'no'", json!("no")),
        ("\"on\"", json!("on")),
        ("!!str yes", json!("yes")),
        ("! yes", json!("yes")),
        ("{! \"Ref\": B}", json!({"Ref": "B"})),
        ("!Equals [yes, 'yes']", json!({"Fn::Equals": [true, "yes"]})),
        ("!Sub yes", json!({"Fn::Sub": true})),
        ("y", json!("y")),
        ("True", json!(true)),
        ("1.5", json!(1.5)),
        ("12:30", json!("12:30")),
        ("~", Value::Null),
        ("|\n  one\n  two\n", json!("one\ntwo\n")),
    ] {
        assert_eq!(value(yaml), json, "{yaml}");
    }
    assert_eq!(read("t.yaml", "123456789012: {true: 1}").value(), &json!({"123456789012": {"true": 1}}));
}

#[test]
fn aliases_and_merges_are_resolved_and_known() {
    let file = read("t.yaml", "a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: 2\n");
    assert_eq!(file.value(), &json!({"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}));
    assert_eq!(file.first_alias(), Some(Place { line: 2, column: 4 }));
    assert_eq!(read("t.yaml", "a: '*'").first_alias(), None);
}

#[test]
fn the_format_follows_the_extension_and_then_the_content() {
    for (name, text, format) in [
        ("a.json", "{}", TemplateFormat::Json),
        ("a.template", " {\"a\": 1}", TemplateFormat::Json),
        ("a.template", "a: 1", TemplateFormat::Yaml),
        ("a.yaml", "{a: 1}", TemplateFormat::Yaml),
        ("-", "\u{feff}{}", TemplateFormat::Json),
    ] {
        assert_eq!(read(name, text).format(), format, "{name} {text}");
    }
}

#[test]
fn faults_name_file_line_and_column() {
    let says = |name: &str, text: &str, expected: &str| {
        let message = error(name, text);
        assert!(message.starts_with(expected), "{text:?}: {message}");
    };
    says("t.yaml", "", "t.yaml: the file is empty");
    says("t.yaml", "# only a comment\n", "t.yaml: the file is empty");
    says("t.json", "[1]", "t.json:1:1: the file is a list");
    says("t.yaml", "text", "t.yaml:1:1: the file is a text");
    says("t.yaml", "a: 1\n---\nb: 2\n", "t.yaml:2:1: the file has several YAML documents");
    says(
        "t.yaml",
        "a:\n  b: 1\n  c: 2\n  b: 3\n",
        "t.yaml:4:3: the file has the key `b` twice; the first is in line 2",
    );
    says("t.yaml", "a: 1\na: 3\n", "t.yaml:2:1: the file has the key `a` twice");
    says("t.json", "{\"a\": {\"b\": 1,\n \"b\": [2]}}", "t.json:2:2: the file has the key `b` twice");
    says(
        "t.json",
        "{\"a\": [{\"b\": 1}, {\"b\": 1}], \"\\u0061\": 1}",
        "t.json:1:29: the file has the key `a` twice",
    );
    says(
        "t.yaml",
        "a: !Reff x\n",
        "t.yaml:1:1: the file has the unknown tag `!Reff`\nhint: did you mean `!Ref`?",
    );
    says(
        "t.yaml",
        "a: [1, 2\nb: 3\n",
        "t.yaml:2:2: the file is not valid YAML: did not find expected ',' or ']'",
    );
    says("t.yaml", "a: !Base64 !Sub x\n", "t.yaml:1:12: the file is not valid YAML");
    says("t.yaml", "\ta: 1", "t.yaml:1:1: the file is not valid YAML");
    says("t.yaml", "? [x]\n: d", "t.yaml:1:1: the file has a key that is a list");
    says("t.yaml", "a: .inf", "t.yaml:1:1: the file has the number");
    says("t.json", "{\"a\": 1,}", "t.json:1:9: the file is not valid JSON: trailing comma");
    says("t.json", "{\"a\": ", "t.json:1:6: the file is not valid JSON");
}

#[test]
fn bytes_that_are_no_text() {
    let message = error("t.yaml", b"a: 1\nb: \xe4\n");
    assert!(message.starts_with("t.yaml:2:4: the file is not UTF-8 text"), "{message}");
    assert!(error("t.json", b"\xff\xfea\0").contains("UTF-16"));
    assert!(error("t.json", vec![b' '; READABLE_BYTES + 1]).contains("more than the 16777216 that are read"));
}

#[test]
fn depth_and_alias_bombs_are_refused() {
    for name in ["t.json", "t.yaml"] {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        assert!(error(name, deep).contains("nested deeper"), "{name}");
        let deep = "{\"a\":".repeat(100_000) + "1" + &"}".repeat(100_000);
        assert!(error(name, deep).contains("nested deeper"), "{name}");
    }
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (name, before) in ('b'..='k').zip('a'..) {
        bomb += &format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 10].join(","));
    }
    assert!(error("t.yaml", bomb).contains("through YAML aliases"));
}

#[test]
fn a_missing_file_and_a_directory() {
    let missing = TemplateFile::read(Path::new("/no/such/template.yaml")).unwrap_err();
    assert!(missing.to_string().starts_with("/no/such/template.yaml: the file cannot be read: "));
    let directory = TemplateFile::read(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap_err();
    assert!(directory.to_string().contains("it is a directory"));
    assert_eq!(directory.to_diagnostic().rule, "template-file");
}

const YAML: &str = r#"# comment
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties:
      CidrBlock: 10.0.0.0/16
      Tags:
        - Key: Name
          Value: !Sub
            - "${Env}-x"
            - Env: !Ref Env
        - {Key: a, Value: b}
      Script: |
        Resources:
          not: a key
  "quoted/id": {Type: T}
  Fn: !If [A, {x: 1}, !Ref B]
"#;

#[test]
fn places_in_yaml() {
    let file = read("t.yaml", YAML);
    for (pointer, place) in [
        ("", "2:1"),
        ("/Resources", "2:1"),
        ("/Resources/Vpc", "3:3"),
        ("/Resources/Vpc/Properties/CidrBlock", "6:7"),
        ("/Resources/Vpc/Properties/Missing", "5:5"),
        ("/Resources/Vpc/Properties/Tags/0", "8:11"),
        ("/Resources/Vpc/Properties/Tags/0/Value/Fn::Sub/0", "10:15"),
        ("/Resources/Vpc/Properties/Tags/0/Value/Fn::Sub/1/Env/Ref", "11:20"),
        ("/Resources/Vpc/Properties/Tags/1/Value", "12:20"),
        ("/Resources/Vpc/Properties/Script", "13:7"),
        ("/Resources/quoted~1id/Type", "16:17"),
        ("/Resources/Fn/Fn::If/1/x", "17:16"),
        ("/Resources/Fn/Fn::If/2/Ref", "17:23"),
        ("/Outputs/X", "2:1"),
    ] {
        assert_eq!(file.place(pointer).to_string(), place, "{pointer}");
    }
}

#[test]
fn places_in_json() {
    let file = read(
        "t.json",
        "{\n  \"Resources\": {\n    \"Ä\": {\"a\": [1, {\"b\\/c\": null}, true], \"d\": \"x\\\"}\"},\n    \"E\": {}\n  }\n}\n",
    );
    for (pointer, place) in [
        ("", "1:1"),
        ("/Resources", "2:3"),
        ("/Resources/Ä/a", "3:11"),
        ("/Resources/Ä/a/0", "3:17"),
        ("/Resources/Ä/a/1/b~1c", "3:21"),
        ("/Resources/Ä/a/2", "3:36"),
        ("/Resources/Ä/d", "3:43"),
        ("/Resources/E", "4:5"),
        ("/Resources/E/none/at/all", "4:5"),
    ] {
        assert_eq!(file.place(pointer).to_string(), place, "{pointer}");
    }
}

#[test]
fn a_long_line_is_read_in_linear_time() {
    let entries: Vec<String> = (0..40_000).map(|index| format!("\"K{index}\":{{\"a\":[1,2]}}")).collect();
    let text = format!("{{{}}}", entries.join(","));
    let started = std::time::Instant::now();
    assert_eq!(read("t.json", &text).place("/K1/a").to_string(), "1:25");
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn half_a_file_is_refused_or_read_but_never_panics() {
    for (name, text) in [("t.yaml", YAML), ("t.json", r#"{"a": [1, {"b\/c": null}, "x\"y"], "é": -1.5e3}"#)]
    {
        for (end, _) in text.char_indices() {
            if let Ok(file) = TemplateFile::from_bytes(name, &text.as_bytes()[..end]) {
                file.place("/Resources/Vpc/Properties/Tags/0/Value");
            }
        }
    }
}

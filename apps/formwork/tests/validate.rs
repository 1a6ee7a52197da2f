//! `formwork validate`.

mod support;

use std::io::Write;
use std::process::Stdio;

use serde_json::Value as Json;
use support::{Done, Project, assert_schema, golden};

const WRONG: &str = "\
Resources:
  Bucket:
    Type: AWS::S3::Bukcet
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      DisplayNmae: x
";
const RIGHT: &str = r#"{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}"#;
const UNUSED: &str = r#"{
  "Parameters": {"Unused": {"Type": "String"}},
  "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}
}"#;

fn project() -> Project {
    Project::new().with("wrong.yaml", WRONG).with("right.json", RIGHT).with("unused.json", UNUSED)
}

#[test]
fn findings_have_file_line_and_column() {
    let done = project().run(&["validate", "wrong.yaml", "right.json", "unused.json"]).ends_with(1);
    golden("validate.txt", &done.stdout);
    done.says("3 templates: 2 errors, 1 warning");
    let done = project().run(&["validate", "right.json"]).ends_with(0);
    assert_eq!(done.stdout, "");
}

#[test]
fn severities_decide_the_exit_code() {
    let project = project();
    project.run(&["validate", "unused.json"]).ends_with(0).prints("warning[unused-parameter]");
    project.run(&["validate", "unused.json", "--strict"]).ends_with(1).prints("error[unused-parameter]");
    let quiet = project.run(&["validate", "unused.json", "-q"]).ends_with(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    project.run(&["validate", "right.json", "-v"]).ends_with(0).prints("note[no-region]");
    let known = project.run(&["validate", "right.json", "-v", "--region", "eu-west-1"]).ends_with(0);
    assert_eq!(known.stdout, "");
    project.run(&["validate"]).ends_with(10).says("<TEMPLATE>");
}

#[test]
fn the_region_decides_what_exists() {
    let template = r#"{"Resources": {"App": {"Type": "AWS::SageMaker::MlflowApp"}}}"#;
    let project = Project::new().with("app.json", template);
    let done = project.run(&["validate", "app.json", "--region", "us-gov-west-1"]);
    done.ends_with(1).prints("us-gov-west-1");
}

#[test]
fn reports_as_json_follow_their_schema() {
    let done = project().run(&["validate", "--format", "json", "wrong.yaml", "missing.yaml"]).ends_with(1);
    let report: Json = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(report["files"], serde_json::json!(["wrong.yaml", "missing.yaml"]));
    assert_eq!(report["counts"]["errors"], 3);
    assert_schema("validate.json", &report);
}

#[test]
fn sarif_has_a_rule_and_a_place_for_each_result() {
    let project = project().with("sub dir/wrong.yaml", WRONG);
    let done =
        project.run(&["validate", "--format", "sarif", "sub dir/wrong.yaml", "unused.json"]).ends_with(1);
    let log: Json = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
    }
    let places: Vec<&Json> =
        results.iter().filter_map(|result| result.pointer("/locations/0/physicalLocation")).collect();
    assert!(places.iter().any(|place| {
        place["artifactLocation"]["uri"] == "sub%20dir/wrong.yaml" && place["region"]["startLine"] == 3
    }));
}

#[test]
fn files_that_cannot_be_read_are_told_and_the_others_judged() {
    let project = project()
        .with("latin.yaml", b"Description: caf\xe9\n")
        .with("broken.json", "{\n  \"Resources\": {,}\n}")
        .with("empty.yaml", "")
        .with("folder/inside.yaml", "");
    project
        .run(&["validate", "latin.yaml", "broken.json", "empty.yaml", "folder", "missing.json", "wrong.yaml"])
        .ends_with(1)
        .prints("latin.yaml:1:17: error[template-file]: the file is not UTF-8 text")
        .prints("broken.json:2:17: error[template-file]: the file is not valid JSON")
        .prints("empty.yaml: error[template-file]: the file is empty")
        .prints("folder: error[template-file]: the file cannot be read: it is a directory")
        .prints("missing.json: error[template-file]: the file cannot be read")
        .prints("wrong.yaml:3:5: error[unknown-type]")
        .says("6 templates: 7 errors");
}

#[test]
fn a_template_of_two_megabytes_is_judged_and_told_to_be_too_large() {
    let topics: String = (0..400)
        .map(|number| {
            let name = "x".repeat(5_000);
            format!("  Topic{number}:\n    Type: AWS::SNS::Topic\n    Metadata: {{note: {name}}}\n")
        })
        .collect();
    let template = format!("Resources:\n{topics}");
    assert!(template.len() > 2_000_000);
    let project = Project::new().with("large.yaml", template);
    project.run(&["validate", "large.yaml"]).ends_with(1).prints("large.yaml:").prints("more than 1048576");
}

#[test]
fn standard_input_is_a_dash() {
    let project = Project::new();
    let mut child = project
        .command(&["validate", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(WRONG.as_bytes()).unwrap();
    Done::of(child.wait_with_output().unwrap()).ends_with(1).prints("stdin:3:5: error[unknown-type]");
}

use serde_json::json;

use super::candidates::candidates;
use super::identifiers::{GivenIdentifier, resolve};
use super::template::import_template;

fn given(logical_id: &str, property: Option<&str>, value: &str) -> GivenIdentifier {
    GivenIdentifier {
        logical_id: logical_id.to_owned(),
        property: property.map(str::to_owned),
        value: value.to_owned(),
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let app = json!({"Resources": {
        "There": {"Type": "AWS::SNS::Topic"},
        "Unkept": {"Type": "AWS::S3::Bucket"},
        "Own": {"Type": "Custom::Own", "DeletionPolicy": "Retain"},
        "Store": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "one"}},
        "Method": {"Type": "AWS::ApiGateway::Method", "DeletionPolicy": "Retain"},
    }});
    let deployed = json!({"Resources": {"There": {"Type": "AWS::SNS::Topic"}}});
    let candidates = candidates(&app, Some(&deployed));
    assert_eq!(candidates.importable.len(), 4);
    let all = [
        given("There", None, "x"),
        given("Unkept", None, "x"),
        given("Own", None, "x"),
        given("Store", None, "two"),
        given("Method", Some("RestApiId"), "x"),
        given("Stroe", None, "x"),
    ];
    let refused = resolve(&all, &candidates, &app).unwrap_err().message;
    for problem in [
        "There is part of the stack already",
        "Unkept: it has no DeletionPolicy",
        "Own: a custom resource cannot be imported",
        "Store: BucketName is `two`, but the template says `one`",
        "HttpMethod",
        "no resource Stroe; did you mean Store?",
    ] {
        assert!(refused.contains(problem), "no {problem:?} in {refused}");
    }
    let found = resolve(&[given("Store", None, "one")], &candidates, &app).unwrap();
    assert_eq!(found[0].identifier["BucketName"], "one");
}

#[test]
fn the_template_of_an_import_brings_what_the_resource_needs_and_nothing_else() {
    let app = json!({
        "Parameters": {"Name": {"Type": "String"}, "Other": {"Type": "String"}},
        "Conditions": {"Big": {"Fn::Equals": [{"Ref": "Name"}, "x"]}},
        "Resources": {
            "Store": {"Type": "AWS::S3::Bucket", "Condition": "Big", "DeletionPolicy": "Retain"},
            "More": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Other"}}},
        },
        "Outputs": {"Arn": {"Value": {"Ref": "Store"}}},
    });
    let alone = import_template(None, &app, &["Store"]).unwrap();
    assert_eq!(
        alone,
        json!({"Parameters": {"Name": {"Type": "String"}},
            "Conditions": app["Conditions"], "Resources": {"Store": app["Resources"]["Store"]}})
    );
    let deployed =
        json!({"Resources": {"Old": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"A": {"Value": "b"}}});
    let joined = import_template(Some(&deployed), &app, &["Store"]).unwrap();
    assert_eq!(joined["Outputs"], deployed["Outputs"], "outputs must not change");
    assert_eq!(joined["Resources"].as_object().unwrap().len(), 2);
}

#[test]
fn a_reference_to_what_is_not_there_is_refused() {
    let app = json!({"Resources": {
        "Store": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "DependsOn": "Key"},
        "Key": {"Type": "AWS::KMS::Key"},
    }});
    let refused = import_template(None, &app, &["Store"]).unwrap_err().message;
    assert!(refused.contains("Store refers to Key"), "{refused}");
}

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
    let refused = resolve(&all, &candidates, "app", &app).unwrap_err();
    for hint in [
        "leave There out",
        "give Unkept a DeletionPolicy in the app",
        "leave Own out",
        "say `one`, or change BucketName in the app",
        "say Method:ResourceId=VALUE Method:HttpMethod=VALUE",
        "`formwork import app` lists what could be imported",
    ] {
        assert!(
            refused.hint.as_deref().is_some_and(|hints| hints.contains(hint)),
            "no {hint:?} in {refused:?}"
        );
    }
    let refused = refused.message;
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
    let found = resolve(&[given("Store", None, "one")], &candidates, "app", &app).unwrap();
    assert_eq!(found[0].identifier["BucketName"], "one");
}

#[test]
fn what_identifies_a_resource_wrongly_is_told_with_what_to_say() {
    let app = json!({"Resources": {
        "Store": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"},
        "Method": {"Type": "AWS::ApiGateway::Method", "DeletionPolicy": "Retain"},
    }});
    let candidates = candidates(&app, None);
    let every = "say Method:RestApiId=VALUE Method:ResourceId=VALUE Method:HttpMethod=VALUE";
    for (given, problem, hint) in [
        (
            vec![given("Store", Some("Name"), "x")],
            "Name identifies no AWS::S3::Bucket: BucketName does",
            "say Store=VALUE",
        ),
        (vec![given("Store", None, "")], "the value of BucketName is empty", "say Store=VALUE"),
        (
            vec![given("Store", None, "a"), given("Store", None, "b")],
            "BucketName is given twice, as `a` and as `b`",
            "leave one of them out",
        ),
        (
            vec![given("Method", None, "x")],
            "`x` is one value, and 3 properties identify AWS::ApiGateway::Method: RestApiId, ResourceId, HttpMethod",
            every,
        ),
        (
            vec![given("Method", Some("HttpMethod"), "")],
            "the value of HttpMethod is empty",
            "say Method:HttpMethod=VALUE",
        ),
    ] {
        let refused = resolve(&given, &candidates, "app", &app).unwrap_err();
        assert!(refused.message.ends_with(problem), "no {problem:?} in {refused:?}");
        assert_eq!(refused.hint.as_deref(), Some(hint), "{refused:?}");
    }
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
    let refused = import_template(None, &app, &["Store"]).unwrap_err();
    assert!(refused.message.contains("Store refers to Key"), "{refused:?}");
    assert!(refused.hint.is_some());
}

//! Tests of what is refused at once, and of the functions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::evaluate::{Lookup, Pseudo, Scope, UNKNOWN, conditions};
use super::parameters::{Given, Values, resolve};
use super::*;

fn refusal(template: &Value) -> String {
    Template::parse(&template.to_string()).expect_err("the template is refused").to_string()
}

fn with(section: &str, content: Value) -> Value {
    let mut template = json!({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}});
    template[section] = content;
    template
}

#[test]
fn what_cloudformation_refuses_at_once_is_refused_in_its_words() {
    let resource = |value: Value| json!({"Resources": {"It": value, "T": {"Type": "AWS::SNS::Topic"}}});
    let topic = |properties: Value| resource(json!({"Type": "AWS::SNS::Topic", "Properties": properties}));
    for (template, told) in [
        (json!({}), "Template format error: At least one Resources member must be defined."),
        (with("Foo", json!({})), "Invalid template property or properties [Foo]"),
        (
            resource(json!({})),
            "Template format error: [/Resources/It] Every Resources object must contain a Type member.",
        ),
        (
            resource(json!({"Type": "AWS::No::Such"})),
            "Template format error: Unrecognized resource types: [AWS::No::Such]",
        ),
        (
            topic(json!({"DisplayName": {"Ref": "Gone"}})),
            "Template format error: Unresolved resource dependencies [Gone] in the Resources block of the template",
        ),
        (
            with("Outputs", json!({"O": {"Value": {"Ref": "Gone"}}})),
            "Template format error: Unresolved resource dependencies [Gone] in the Outputs block of the template",
        ),
        (
            topic(json!({"DisplayName": {"Fn::GetAtt": ["Gone", "Arn"]}})),
            "Template error: instance of Fn::GetAtt references undefined resource Gone",
        ),
        (
            topic(json!({"DisplayName": {"Fn::GetAtt": ["T", "Nothing"]}})),
            "Template error: resource T does not support attribute type Nothing in Fn::GetAtt",
        ),
        (
            json!({"Resources": {
                "A": {"Type": "AWS::SNS::Topic", "DependsOn": "B"},
                "B": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "A"}}}}}),
            "Circular dependency between resources: [A, B]",
        ),
        (
            resource(json!({"Type": "AWS::SNS::Topic", "Condition": "Gone"})),
            "Template format error: Unresolved condition dependency Gone in the Resources block of the template",
        ),
    ] {
        assert_eq!(refusal(&template), format!("ValidationError: {told}"));
    }
    let error = Template::parse("{\"Resources\": ").expect_err("it is cut off").to_string();
    assert!(error.starts_with("ValidationError: Template format error: JSON not well-formed."), "{error}");
    let error = Template::parse("Resources:\n  A: {Type: [").expect_err("it is cut off").to_string();
    assert!(error.starts_with("ValidationError: Template format error: YAML not well-formed."), "{error}");
}

/// Fault 34: a template beyond a limit names it.
#[test]
fn the_limits_hold() {
    let many = |count: usize, entry: Value| -> Value {
        Value::Object((0..count).map(|index| (format!("E{index}"), entry.clone())).collect())
    };
    let topic = json!({"Type": "AWS::SNS::Topic"});
    assert!(Template::parse(&json!({"Resources": many(500, topic.clone())}).to_string()).is_ok());
    let told = refusal(&json!({"Resources": many(501, topic)}));
    assert!(told.contains("Number of resources, 501, is greater than maximum allowed, 500"), "{told}");
    let told = refusal(&with("Parameters", many(201, json!({"Type": "String"}))));
    assert!(told.contains("Number of parameters, 201"), "{told}");
    let told = refusal(&with("Outputs", many(201, json!({"Value": "x"}))));
    assert!(told.contains("Number of outputs, 201"), "{told}");
}

/// Fault 32: a capability that is not granted is named.
#[test]
fn capabilities_are_asked_for() {
    let role = |properties: Value| {
        let template = json!({"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": properties}}});
        Template::parse(&template.to_string()).unwrap()
    };
    let plain = role(json!({"AssumeRolePolicyDocument": {}}));
    let named = role(json!({"AssumeRolePolicyDocument": {}, "RoleName": "mine"}));
    let told = |template: &Template, granted: &[&str]| {
        template.check_capabilities(granted).map_err(|it| it.to_string())
    };
    assert_eq!(
        told(&plain, &[]),
        Err("InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_IAM]".to_owned())
    );
    assert_eq!(told(&plain, &["CAPABILITY_NAMED_IAM"]), Ok(()));
    assert_eq!(
        told(&named, &["CAPABILITY_IAM"]),
        Err("InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]".to_owned())
    );
    assert_eq!(told(&Template::parse(&with("Metadata", json!({})).to_string()).unwrap(), &[]), Ok(()));
}

fn values(parameters: Value, given: &[(&str, &str)]) -> Result<Values, String> {
    let template = Template::parse(&with("Parameters", parameters).to_string()).unwrap();
    let given: BTreeMap<String, Given> =
        given.iter().map(|(name, text)| ((*name).to_owned(), Given::Text((*text).to_owned()))).collect();
    let store = |name: &str| (name == "/known").then(|| "from the store".to_owned());
    resolve(&template, &given, None, &store).map_err(|error| error.message)
}

/// Fault 33: what does not fit a parameter is refused.
#[test]
fn parameters_are_checked() {
    let one = |declaration: Value, given: &[(&str, &str)]| {
        values(json!({"P": declaration}), given).map(|it| it["P"].value())
    };
    let text = json!({"Type": "String"});
    assert_eq!(one(text.clone(), &[]), Err("Parameters: [P] must have values".to_owned()));
    assert_eq!(
        one(text, &[("P", "x"), ("Q", "y")]),
        Err("Parameters: [Q] do not exist in the template".to_owned())
    );
    let cases = [
        (
            json!({"Type": "String", "AllowedValues": ["a", "b"]}),
            "c",
            "Parameter 'P' must be one of AllowedValues",
        ),
        (
            json!({"Type": "String", "AllowedPattern": "[a-z]+"}),
            "a1",
            "Parameter 'P' must match pattern [a-z]+",
        ),
        (
            json!({"Type": "String", "AllowedPattern": "[a-z]+", "ConstraintDescription": "letters only"}),
            "a1",
            "Parameter P failed to satisfy constraint: letters only",
        ),
        (json!({"Type": "String", "MinLength": 3}), "ab", "Parameter 'P' must contain at least 3 characters"),
        (
            json!({"Type": "String", "MaxLength": "1"}),
            "ab",
            "Parameter 'P' must contain at most 1 characters",
        ),
        (json!({"Type": "Number"}), "many", "Parameter 'P' must be a number"),
        (json!({"Type": "Number", "MinValue": 2}), "1", "Parameter 'P' must be a number not less than 2"),
        (json!({"Type": "Number", "MaxValue": 2}), "3", "Parameter 'P' must be a number not greater than 2"),
        (
            json!({"Type": "AWS::SSM::Parameter::Value<String>"}),
            "/gone",
            "Unable to fetch parameters [/gone] from parameter store for this account.",
        ),
    ];
    for (declaration, given, told) in cases {
        assert_eq!(one(declaration, &[("P", given)]), Err(told.to_owned()));
    }
    let long = "x".repeat(4_097);
    assert!(one(json!({"Type": "String"}), &[("P", &long)]).unwrap_err().contains("4096"));
    assert_eq!(one(json!({"Type": "CommaDelimitedList"}), &[("P", "a, b")]), Ok(json!(["a", "b"])));
    assert_eq!(
        one(json!({"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/known"}), &[]),
        Ok(json!("from the store"))
    );
}

struct Known {
    strict: bool,
}

impl Lookup for Known {
    fn reference(&self, id: &str) -> Option<Value> {
        (id == "T").then(|| json!("topic"))
    }

    fn attribute(&self, id: &str, name: &str) -> Result<Value, String> {
        Ok(json!(format!("{id}.{name}")))
    }

    fn import(&self, name: &str) -> Option<String> {
        (name == "shared").then(|| "imported".to_owned())
    }

    fn stack_output(&self, stack: &str, output: &str, region: Option<&str>) -> Option<String> {
        Some(format!("{stack}/{output}/{}", region.unwrap_or("here")))
    }

    fn parameter(&self, name: &str) -> Option<String> {
        (name == "/known").then(|| "stored".to_owned())
    }

    fn is_strict(&self) -> bool {
        self.strict
    }
}

fn evaluated(value: Value, strict: bool) -> Result<Option<Value>, String> {
    let template = json!({"Mappings": {"M": {"a": {"b": "mapped"}}}, "Conditions": {
        "Yes": {"Fn::Equals": ["1", 1]},
        "Both": {"Fn::And": [{"Condition": "Yes"}, {"Fn::Not": [{"Condition": "No"}]}]},
        "No": {"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Fn::Equals": [{"Ref": "AWS::Region"}, "mars"]}]}}});
    let pseudo = Pseudo {
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        partition: "aws".to_owned(),
        stack_name: "net".to_owned(),
        ..Pseudo::default()
    };
    let values = values(json!({"P": {"Type": "CommaDelimitedList", "Default": "x,y"}}), &[]).unwrap();
    let lookup = Known { strict };
    let conditions = conditions(&template, &values, &pseudo, &lookup)?;
    assert!(conditions["Both"]);
    Scope { template: &template, values: &values, conditions: &conditions, pseudo: &pseudo, lookup: &lookup }
        .evaluate(&value)
}

#[test]
fn every_function_gives_what_the_user_guide_says() {
    for (function, wanted) in [
        (json!({"Ref": "AWS::AccountId"}), json!("123456789012")),
        (json!({"Ref": "T"}), json!("topic")),
        (json!({"Fn::GetAtt": "T.Arn"}), json!("T.Arn")),
        (json!({"Fn::GetAtt": ["T", "Endpoint.Port"]}), json!("T.Endpoint.Port")),
        (json!({"Fn::Join": ["-", {"Ref": "P"}]}), json!("x-y")),
        (json!({"Fn::Sub": "${T}/${!T}/${AWS::Region}/${T.Arn}"}), json!("topic/${T}/eu-west-1/T.Arn")),
        (json!({"Fn::Sub": ["${A}${P}", {"A": {"Fn::Select": ["1", ["a", "b"]]}}]}), json!("bx,y")),
        (json!({"Fn::Split": [",", "a,b"]}), json!(["a", "b"])),
        (json!({"Fn::FindInMap": ["M", "a", "b"]}), json!("mapped")),
        (json!({"Fn::FindInMap": ["M", "a", "c", {"DefaultValue": "else"}]}), json!("else")),
        (json!({"Fn::GetAZs": ""}), json!(["eu-west-1a", "eu-west-1b", "eu-west-1c"])),
        (json!({"Fn::Cidr": ["10.0.0.0/16", "2", "8"]}), json!(["10.0.0.0/24", "10.0.1.0/24"])),
        (json!({"Fn::Base64": "hello"}), json!("aGVsbG8=")),
        (json!({"Fn::If": ["Yes", "a", "b"]}), json!("a")),
        (json!({"Fn::If": ["No", "a", "b"]}), json!("b")),
        (json!({"Fn::ImportValue": {"Fn::Sub": "shared"}}), json!("imported")),
        (json!({"Fn::GetStackOutput": {"StackName": "s", "OutputName": "o"}}), json!("s/o/here")),
        (json!("a {{resolve:ssm:/known:3}} b"), json!("a stored b")),
        (json!("{{resolve:secretsmanager:it}}"), json!("{{resolve:secretsmanager:it}}")),
        (json!({"Fn::ToJsonString": {"a": 1}}), json!("{\"a\":1}")),
        (json!({"Fn::Length": {"Ref": "P"}}), json!(2)),
        (json!([1, {"Ref": "AWS::NoValue"}, true]), json!([1, true])),
        (json!({"A": {"Ref": "AWS::NoValue"}, "B": 1}), json!({"B": 1})),
    ] {
        assert_eq!(evaluated(function.clone(), true), Ok(Some(wanted)), "{function}");
    }
    assert_eq!(evaluated(json!({"Ref": "AWS::NoValue"}), true), Ok(None));
}

#[test]
fn what_is_not_known_is_an_error_or_a_marker() {
    let gone = json!({"Fn::ImportValue": "gone"});
    assert_eq!(evaluated(gone.clone(), true), Err("No export named gone found".to_owned()));
    assert_eq!(evaluated(gone, false), Ok(Some(json!(UNKNOWN))));
    let select = json!({"Fn::Select": ["2", ["a", "b"]]});
    assert!(evaluated(select, true).unwrap_err().contains("nonexistent value at index 2"));
    let missing = json!("{{resolve:ssm:/gone}}");
    assert_eq!(evaluated(missing, true), Err("Parameters: [ssm:/gone] cannot be found.".to_owned()));
    let unknown = json!({"Fn::Select": [0, {"Fn::Split": [".", {"Fn::Sub": "${Later}"}]}]});
    assert_eq!(evaluated(unknown, false), Ok(Some(json!(UNKNOWN))));
}

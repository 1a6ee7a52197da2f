//! Synthesis as an app's author meets it.

use serde_json::json;

use crate::{
    App, AppProps, CfnResource, Context, Environment, Output, Parameter, RemovalPolicy, Resource, Stack,
    StackProps, equals, if_else, text,
};

fn app() -> App {
    App::new(AppProps::default())
}

fn topic() -> CfnResource {
    CfnResource::new("AWS::SNS::Topic")
}

fn messages(app: &App) -> Vec<String> {
    let error = app.synth().expect_err("there are mistakes");
    error.diagnostics.iter().map(|diagnostic| diagnostic.message.clone()).collect()
}

#[test]
fn references_within_a_stack_are_ref_and_getatt() {
    let app = app();
    let stack = app.stack("one");
    let topic = topic().define(stack, "Topic");
    Output::new(text!("{} is {}", topic.reference::<String>(), topic.attribute::<String>("TopicName")))
        .define(stack, "Both");
    let template = app.synth().expect("no mistakes").template("one").expect("the stack");
    assert_eq!(template["Outputs"]["Both"]["Value"], json!({"Fn::Sub": "${Topic} is ${Topic.TopicName}"}));
}

#[test]
fn text_escapes_what_fn_sub_would_read() {
    let app = app();
    let stack = app.stack("one");
    let topic = topic().define(stack, "Topic");
    Output::new(text!("${{HOME}} {}", topic.reference::<String>())).define(stack, "Script");
    let template = app.synth().expect("no mistakes").template("one").expect("the stack");
    assert_eq!(template["Outputs"]["Script"]["Value"], json!({"Fn::Sub": "${!HOME} ${Topic}"}));
}

#[test]
fn a_value_of_another_stack_is_exported_imported_and_orders_the_stacks() {
    let app = app();
    let consumer = app.stack("consumer");
    let producer = app.stack("producer");
    let made = topic().define(producer, "Topic");
    topic().property("DisplayName", made.attribute::<String>("TopicName")).define(consumer, "Topic");
    let synthesis = app.synth().expect("no mistakes");
    assert_eq!(
        synthesis.template("producer").expect("the stack")["Outputs"],
        json!({"ExportTopicTopicName": {
            "Value": {"Fn::GetAtt": ["Topic", "TopicName"]},
            "Export": {"Name": "producer:TopicTopicName"},
        }})
    );
    assert_eq!(
        synthesis.template("consumer").expect("the stack")["Resources"]["Topic"]["Properties"]["DisplayName"],
        json!({"Fn::ImportValue": "producer:TopicTopicName"})
    );
    let order: Vec<&str> = synthesis.stacks.iter().map(|stack| stack.id.as_str()).collect();
    assert_eq!(order, ["producer", "consumer"]);
}

#[test]
fn weak_references_read_an_output_also_of_another_region() {
    let app = App::new(AppProps {
        context: Context::new().with("crossStackReferences", "weak"),
        ..AppProps::default()
    });
    let at = |region: &str| StackProps {
        environment: Environment { region: Some(region.to_owned()), account: None },
        ..StackProps::default()
    };
    let producer = Stack::define(app.root(), "producer", at("us-east-1"));
    let consumer = Stack::define(app.root(), "consumer", at("eu-west-1"));
    let made = topic().define(producer, "Topic");
    topic().property("DisplayName", made.attribute::<String>("TopicName")).define(consumer, "Topic");
    let synthesis = app.synth().expect("no mistakes");
    assert_eq!(
        synthesis.template("consumer").expect("the stack")["Resources"]["Topic"]["Properties"]["DisplayName"],
        json!({"Fn::GetStackOutput": {
            "StackName": "producer", "OutputName": "ExportTopicTopicName", "Region": "us-east-1",
        }})
    );
    assert!(
        synthesis.template("producer").expect("the stack")["Outputs"]["ExportTopicTopicName"]
            .get("Export")
            .is_none()
    );
}

#[test]
fn an_export_does_not_reach_another_region() {
    let app = app();
    let at = |region: &str| StackProps {
        environment: Environment { region: Some(region.to_owned()), account: None },
        ..StackProps::default()
    };
    let producer = Stack::define(app.root(), "producer", at("us-east-1"));
    let consumer = Stack::define(app.root(), "consumer", at("eu-west-1"));
    let made = topic().define(producer, "Topic");
    topic().property("DisplayName", made.attribute::<String>("TopicName")).define(consumer, "Topic");
    assert!(messages(&app)[0].contains("another region, where exports do not reach"));
}

#[test]
fn a_circle_between_stacks_names_both_values() {
    let app = app();
    let (left, right) = (app.stack("left"), app.stack("right"));
    let in_left = topic().define(left, "Topic");
    let in_right =
        topic().property("DisplayName", in_left.attribute::<String>("TopicName")).define(right, "Topic");
    topic().property("DisplayName", in_right.attribute::<String>("TopicName")).define(left, "Second");
    let messages = messages(&app);
    assert_eq!(
        messages,
        ["stacks left, right depend on each other in a circle: `left/Second` uses `right/Topic.TopicName`; \
          `right/Topic` uses `left/Topic.TopicName`"]
    );
}

#[test]
fn all_mistakes_are_reported_at_once_with_path_and_line() {
    let app = App::new(AppProps { context: Context::new().with("asets", "cdk"), ..AppProps::default() });
    let stack = app.stack("one");
    topic().define(stack, "Topic");
    topic().define(stack, "Topic");
    topic().define(app.root(), "Lost");
    let error = app.synth().expect_err("there are mistakes");
    let rules: Vec<&str> = error.diagnostics.iter().map(|diagnostic| diagnostic.rule.as_str()).collect();
    assert_eq!(rules, ["duplicate-id", "outside-stack", "context-key"]);
    let duplicate = &error.diagnostics[0];
    assert_eq!(duplicate.construct_path.as_deref(), Some("one/Topic"));
    assert!(duplicate.sources[0].file.ends_with("synth/tests.rs"), "{:?}", duplicate.sources);
    assert!(error.diagnostics[2].hint.as_deref().expect("a hint").contains("did you mean assets?"));
}

#[test]
fn dependencies_that_a_reference_implies_are_left_out() {
    let app = app();
    let stack = app.stack("one");
    let first = topic().define(stack, "First");
    let group = stack.child("Group");
    topic().define(group, "Inner");
    topic()
        .property("DisplayName", first.attribute::<String>("TopicName"))
        .depends_on(first)
        .depends_on(group)
        .define(stack, "Last");
    let template = app.synth().expect("no mistakes").template("one").expect("the stack");
    let waits_for = template["Resources"]["Last"]["DependsOn"].as_array().expect("a list").clone();
    assert_eq!(waits_for.len(), 1);
    assert!(waits_for[0].as_str().expect("a name").starts_with("GroupInner"));
}

#[test]
fn conditions_parameters_and_policies_stand_in_the_template() {
    let app = app();
    let stack = app.stack("one");
    let stage = Parameter::string().default("dev").allowed_values(["dev", "prod"]).define(stack, "Stage");
    let production = equals(&stage, "prod").define(stack, "IsProduction");
    topic()
        .property("DisplayName", if_else::<String>(production, "production", "development"))
        .removal_policy(RemovalPolicy::RetainExceptOnCreate)
        .define(stack, "Topic");
    topic().when(production).define(stack, "OnlyInProduction");
    let template = app.synth().expect("no mistakes").template("one").expect("the stack");
    assert_eq!(template["Conditions"]["IsProduction"], json!({"Fn::Equals": [{"Ref": "Stage"}, "prod"]}));
    let topic = &template["Resources"]["Topic"];
    assert_eq!(
        topic["Properties"]["DisplayName"],
        json!({"Fn::If": ["IsProduction", "production", "development"]})
    );
    assert_eq!(topic["DeletionPolicy"], "RetainExceptOnCreate");
    assert_eq!(topic["UpdateReplacePolicy"], "Retain");
    assert_eq!(template["Resources"]["OnlyInProduction"]["Condition"], "IsProduction");
}

#[test]
fn tags_take_the_shape_of_each_type_and_the_nearest_wins() {
    let app = app();
    app.root().tag("team", "platform");
    let stack = app.stack("one");
    stack.tag("team", "learning");
    topic().property("Tags", json!([{"Key": "own", "Value": "yes"}])).define(stack, "Topic");
    CfnResource::new("AWS::SSM::Parameter")
        .property("Type", "String")
        .property("Value", "x")
        .define(stack, "Parameter");
    let template = app.synth().expect("no mistakes").template("one").expect("the stack");
    assert_eq!(
        template["Resources"]["Topic"]["Properties"]["Tags"],
        json!([{"Key": "own", "Value": "yes"}, {"Key": "team", "Value": "learning"}])
    );
    assert_eq!(template["Resources"]["Parameter"]["Properties"]["Tags"], json!({"team": "learning"}));
}

#[test]
fn aspects_see_what_other_aspects_add() {
    let app = app();
    let stack = app.stack("one");
    topic().define(stack, "Topic");
    app.root().aspect(|scope| {
        if scope.id() == "Topic" {
            topic().define(scope.parent().expect("a stack"), "Added");
        }
        if scope.id() == "Added" {
            scope.set_property("DisplayName", "by an aspect");
        }
    });
    let template = app.synth().expect("no mistakes").template("one").expect("the stack");
    assert_eq!(template["Resources"]["Added"]["Properties"]["DisplayName"], "by an aspect");
}

#[test]
fn a_permissions_boundary_reaches_every_role() {
    let app = App::new(AppProps {
        context: Context::new().with("permissionsBoundary", "limits"),
        ..AppProps::default()
    });
    let stack = app.stack("one");
    CfnResource::new("AWS::IAM::Role")
        .property("AssumeRolePolicyDocument", json!({"Version": "2012-10-17", "Statement": []}))
        .define(stack, "Role");
    let template = app.synth().expect("no mistakes").template("one").expect("the stack");
    assert_eq!(
        template["Resources"]["Role"]["Properties"]["PermissionsBoundary"],
        json!({"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/limits"})
    );
}

#[test]
fn two_synths_give_the_same_bytes() {
    let grow = || {
        let app = app();
        let stack = app.stack("one");
        topic().define(stack, "Topic");
        app.synth().expect("no mistakes").files
    };
    assert_eq!(grow(), grow());
}

#[test]
fn a_value_of_another_app_is_refused() {
    let (one, other) = (app(), app());
    let topic_elsewhere = topic().define(other.stack("other"), "Topic");
    let stack = one.stack("one");
    topic().property("DisplayName", topic_elsewhere.attribute::<String>("TopicName")).define(stack, "Topic");
    assert_eq!(messages(&one), ["a value of another app is used"]);
}

#[test]
fn an_exported_value_is_there_without_a_reader() {
    let app = app();
    let stack = app.stack("shared");
    let topic = topic().define(stack, "Topic");
    stack.export(&topic.attribute::<String>("TopicName"));
    let template = app.synth().expect("no mistakes").template("shared").expect("the stack");
    assert_eq!(template["Outputs"]["ExportTopicTopicName"]["Export"]["Name"], "shared:TopicTopicName");
}

#[test]
fn a_list_crosses_stacks_as_one_text() {
    let app = app();
    let (producer, consumer) = (app.stack("producer"), app.stack("consumer"));
    let endpoint = CfnResource::new("AWS::EC2::VPCEndpoint")
        .property("ServiceName", "com.amazonaws.us-east-1.s3")
        .property("VpcId", "vpc-12345678")
        .define(producer, "Endpoint");
    let entries = endpoint.attribute::<Vec<String>>("DnsEntries");
    topic().property("DisplayName", crate::select::<String>(0, &entries)).define(consumer, "Topic");
    let synthesis = app.synth().expect("no mistakes");
    assert_eq!(
        synthesis.template("consumer").expect("the stack")["Resources"]["Topic"]["Properties"]["DisplayName"],
        json!({"Fn::Select": [0, {"Fn::Split": ["||", {"Fn::ImportValue": "producer:EndpointDnsEntries"}]}]})
    );
}

#[test]
fn a_logical_id_can_be_foretold() {
    let app = app();
    let stack = app.stack("one");
    let group = stack.child("Group");
    let foretold = group.logical_id("Topic");
    topic().define(group, "Topic");
    let template = app.synth().expect("no mistakes").template("one").expect("the stack");
    assert!(template["Resources"].get(&foretold).is_some(), "{foretold}");
}

#[test]
fn names_that_have_to_be_unique_are_compared_across_stacks() {
    let app = app();
    for (id, name) in [("one", "shared"), ("two", "shared"), ("three", "other")] {
        let props = StackProps { stack_name: Some(name.to_owned()), ..StackProps::default() };
        let stack = Stack::define(app.root(), id, props);
        topic().define(stack, "Topic");
        Output::new("x").export_name("taken").define(stack, "Value");
    }
    let error = app.synth().expect_err("there are mistakes");
    let mut rules: Vec<(&str, &str)> = error
        .diagnostics
        .iter()
        .map(|one| (one.rule.as_str(), one.construct_path.as_deref().unwrap_or_default()))
        .collect();
    rules.sort_unstable();
    assert_eq!(rules, [("duplicate-export", "three/Value"), ("duplicate-stack-name", "two")]);
}

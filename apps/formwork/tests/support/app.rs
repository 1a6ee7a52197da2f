//! An app for the tests of the command line: its one argument says what it grows, or how it fails.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use formwork::{
    App, Asset, CfnResource, Environment, Expression, Output, ResourceId, Scope, Stack, StackProps,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The settings of the app.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
struct Settings {
    /// What the name of each stack begins with.
    prefix: String,
    /// How fast it goes.
    speed: Speed,
    /// How many topics there are.
    #[schemars(range(min = 1, max = 3))]
    topics: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { prefix: "app".to_owned(), speed: Speed::Fast, topics: 1 }
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Speed {
    Fast,
    Slow,
}

fn main() -> ExitCode {
    println!("the app prints this");
    match std::env::args().nth(1).unwrap_or_default().as_str() {
        "good" => formwork::main(good),
        "warning" => formwork::main(warning),
        "kept" => formwork::main(kept),
        "regions" => formwork::main(regions),
        "asset" => formwork::main(asset),
        "duplicate" => formwork::main(duplicate),
        "circle" => formwork::main(circle),
        "many" => formwork::main(many),
        "four" => formwork::main(four),
        "users" => formwork::main(users),
        "silent" => ExitCode::SUCCESS,
        "broken" => ExitCode::from(7),
        "sleep" => {
            std::fs::write("started", std::process::id().to_string()).expect("the directory can be written");
            std::thread::sleep(Duration::from_secs(60));
            ExitCode::SUCCESS
        }
        other => {
            eprintln!("`{other}` is nothing that this app grows");
            ExitCode::FAILURE
        }
    }
}

fn topic(scope: Scope<'_>, id: &str) -> ResourceId {
    CfnResource::new("AWS::SNS::Topic").define(scope, id)
}

/// Two stacks: one reads what the other makes.
fn good(app: &App) {
    let settings: Settings = app.settings();
    let network = app.stack(&format!("{}-network", settings.prefix));
    for number in 1..=settings.topics {
        topic(network, &format!("Topic{number}"));
    }
    let shared = topic(network, "Shared");
    let proxy = app.stack(&format!("{}-proxy", settings.prefix));
    let subscription = CfnResource::new("AWS::SNS::Subscription")
        .property::<String>("Protocol", "https")
        .property::<String>("Endpoint", "https://example.com/")
        .property::<String>("TopicArn", shared.reference::<String>());
    subscription.define(proxy, "Subscription");
    let own = topic(proxy, "Own");
    Output::new(own.attribute::<String>("TopicName")).define(proxy, "TopicName");
}

/// Four stacks as the platform's need each other: all but the first can be planned only once others stand.
fn four(app: &App) {
    let settings: Settings = app.settings();
    let made = |name: &str, needs: Option<ResourceId>| {
        let stack = app.stack(&format!("{}-{name}", settings.prefix));
        let own = topic(stack, "Topic");
        if let Some(needed) = needs {
            let parameter = CfnResource::new("AWS::SSM::Parameter")
                .property::<String>("Type", "String")
                .property::<String>("Value", needed.reference::<String>());
            parameter.define(stack, "Needed");
        }
        Output::new(own.attribute::<String>("TopicName")).define(stack, "TopicName");
        own
    };
    let network = made("network", None);
    let domain = made("domain", Some(network));
    made("tracking", Some(domain));
    made("proxy", Some(network));
}

/// A secret with the users of a proxy, told by the outputs of its stack as the platform's proxy does; with more topics,
/// as many proxies.
fn users(app: &App) {
    let settings: Settings = app.settings();
    for number in 1..=settings.topics {
        let stack = app.stack(&format!("{}-proxy{number}", settings.prefix));
        let secret = CfnResource::new("AWS::SecretsManager::Secret").define(stack, "Users");
        Output::new(secret.reference::<String>()).define(stack, "SecretArn");
        for (name, value) in [("Url", "http://proxy"), ("Authentication", "basic"), ("Access", "writer")] {
            Output::new(value).define(stack, name);
        }
    }
}

/// Data that nobody protects.
fn warning(app: &App) {
    let stack = app.stack("data");
    CfnResource::new("AWS::DynamoDB::Table")
        .property::<serde_json::Value>(
            "KeySchema",
            serde_json::json!([{ "AttributeName": "id", "KeyType": "HASH" }]),
        )
        .property::<serde_json::Value>(
            "AttributeDefinitions",
            serde_json::json!([{ "AttributeName": "id", "AttributeType": "S" }]),
        )
        .property::<String>("BillingMode", "PAY_PER_REQUEST")
        .define(stack, "Table");
}

/// A topic, and with more than one topic a bucket that may have been there before; both are kept.
fn kept(app: &App) {
    let settings: Settings = app.settings();
    let stack = app.stack(&format!("{}-kept", settings.prefix));
    stack.default_removal_policy(formwork::RemovalPolicy::Retain);
    topic(stack, "Topic");
    if settings.topics > 1 {
        let store = CfnResource::new("AWS::S3::Bucket").property::<String>("BucketName", "old-one");
        let store = store.define(stack, "Store");
        Output::new(store.attribute::<String>("Arn")).define(stack, "StoreArn");
    }
}

/// Two stacks of one name in two regions.
fn regions(app: &App) {
    let settings: Settings = app.settings();
    for (id, region) in [("twin-eu", "eu-central-1"), ("twin-us", "us-east-1")] {
        let environment = Environment { region: Some(region.to_owned()), ..Environment::default() };
        let stack_name = Some(format!("{}-twin", settings.prefix));
        let stack =
            Stack::define(app.root(), id, StackProps { stack_name, environment, ..StackProps::default() });
        for number in 1..=settings.topics {
            let topic = topic(stack, &format!("Topic{number}"));
            Output::new(topic.attribute::<String>("TopicName")).define(stack, &format!("Name{number}"));
        }
    }
}

/// A stack with a file in S3.
fn asset(app: &App) {
    let stack = app.stack("app-code");
    let file = Asset::bytes(stack, "File", "what a layer holds", "zip");
    let content = Expression::Object(BTreeMap::from([
        ("S3Bucket".to_owned(), file.bucket.into_expression()),
        ("S3Key".to_owned(), file.key.into_expression()),
    ]));
    let mut layer = CfnResource::new("AWS::Lambda::LayerVersion");
    layer.put("Content", content);
    layer.define(stack, "Layer");
}

/// Two constructs with one id.
fn duplicate(app: &App) {
    let stack = app.stack("twice");
    topic(stack, "Topic");
    topic(stack, "Topic");
}

/// Two stacks that need each other.
fn circle(app: &App) {
    let left = app.stack("left");
    let right = app.stack("right");
    let (one, other) = (topic(left, "Topic"), topic(right, "Topic"));
    Output::new(other.attribute::<String>("TopicName")).define(left, "Other");
    Output::new(one.attribute::<String>("TopicName")).define(right, "Other");
}

/// One resource more than CloudFormation takes.
fn many(app: &App) {
    let stack = app.stack("many");
    for number in 1..=501 {
        topic(stack, &format!("Topic{number}"));
    }
}

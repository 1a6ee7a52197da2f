//! Settings from a context: forms, mistakes and their hints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Context, FrameworkSettings, Settings, merge_schemas, read, report_unknown, schema_of};

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// One.
    #[default]
    Tracking,
    /// The other.
    Serverless,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
struct Example {
    mlflow_type: Mode,
    zones: Option<u8>,
    subnets: Vec<String>,
    numbers: Vec<u8>,
    tags: std::collections::BTreeMap<String, String>,
    allow: bool,
    account: Option<String>,
}

fn read_all<T: Settings>(context: &Context) -> (T, Vec<String>) {
    let mut found = Vec::new();
    let settings = read::<T>(context, &mut found);
    report_unknown(context, &[schema_of::<T>()], &mut found);
    let shown =
        found.iter().map(|one| format!("{}\nhint: {}", one.message, one.hint.clone().unwrap_or_default()));
    (settings, shown.collect())
}

#[test]
fn texts_become_what_the_setting_wants() {
    let context = Context::new()
        .with("mlflowType", "serverless")
        .with("zones", "3")
        .with("subnets", "subnet-1, subnet-2")
        .with("numbers", "1,2")
        .with("tags", "team=platform, cost=a=b")
        .with("allow", "true")
        .with("account", "012345678901");
    let (settings, found) = read_all::<Example>(&context);
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(settings.mlflow_type, Mode::Serverless);
    assert_eq!(settings.zones, Some(3));
    assert_eq!(settings.subnets, ["subnet-1", "subnet-2"]);
    assert_eq!(settings.numbers, [1, 2]);
    assert_eq!(settings.tags["team"], "platform");
    assert_eq!(settings.tags["cost"], "a=b");
    assert!(settings.allow);
    assert_eq!(settings.account.as_deref(), Some("012345678901"), "a leading zero stays");
}

#[test]
fn a_wrong_value_names_what_is_allowed_and_what_was_meant() {
    let context = Context::new().with("mlflowType", "servreless").with("zones", "many");
    let (settings, found) = read_all::<Example>(&context);
    assert_eq!(settings, Example::default(), "a wrong value leaves the default");
    assert_eq!(found.len(), 2, "both mistakes are reported: {found:?}");
    assert!(found[0].contains("mlflowType is `servreless` (set by the app's code)"), "{}", found[0]);
    assert!(
        found[0].contains("did you mean mlflowType=serverless? it takes tracking or serverless"),
        "{}",
        found[0]
    );
    assert!(found[1].contains("zones is `many`"), "{}", found[1]);
}

#[test]
fn an_unknown_key_is_an_error_with_the_nearest_one() {
    let context = Context::new().with("mlflowtype", "tracking").with("entirelyOther", 1);
    let (_, found) = read_all::<Example>(&context);
    assert!(found.iter().any(|one| one.ends_with("hint: did you mean mlflowType?")), "{found:?}");
    assert!(found.iter().any(|one| one.contains("entirelyOther") && one.contains("it reads ")), "{found:?}");
}

#[test]
fn one_schema_describes_all_settings_and_closes_the_set_of_keys() {
    let schema = merge_schemas(&[schema_of::<Example>()]);
    assert_eq!(schema["additionalProperties"], json!(false));
    assert!(schema["properties"]["mlflowType"].is_object());
    assert!(schema["$defs"]["Mode"].is_object());
}

#[test]
fn settings_of_the_framework_that_aws_refuses_are_told() {
    let wrong = FrameworkSettings {
        assets: "Bad_Bucket".to_owned(),
        qualifier: Some("x/y".to_owned()),
        permissions_boundary: Some(String::new()),
        ..FrameworkSettings::default()
    };
    let found: Vec<String> = wrong.mistakes().into_iter().map(|mistake| mistake.message).collect();
    assert_eq!(found.len(), 3, "{found:?}");
    for assets in ["formwork", "cdk", "my-bucket.of-assets"] {
        let right = FrameworkSettings { assets: assets.to_owned(), ..FrameworkSettings::default() };
        assert_eq!(right.mistakes(), []);
    }
}

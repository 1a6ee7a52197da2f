//! An app of its own that makes the mistake which its context names: what a user's app is, for tests of the entry.

use std::process::ExitCode;

use formwork::{App, CfnResource, ResourceId, Scope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Mistake {
    #[default]
    None,
    Circle,
    StackCircle,
    DuplicateId,
    TooManyResources,
    UnknownProperty,
    UnreadableAsset,
    LargeTemplate,
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Settings {
    /// The mistake to make.
    mistake: Mistake,
}

fn topic(scope: Scope<'_>, id: &str) -> ResourceId {
    CfnResource::new("AWS::SNS::Topic").define(scope, id)
}

fn named_after(other: ResourceId, scope: Scope<'_>, id: &str) -> ResourceId {
    CfnResource::new("AWS::SNS::Topic")
        .property("DisplayName", other.attribute::<String>("TopicName"))
        .define(scope, id)
}

fn grow(app: &App) {
    let stack = app.stack("only");
    match app.settings::<Settings>().mistake {
        Mistake::None => {
            topic(stack, "Topic");
        }
        Mistake::Circle => {
            let first = topic(stack, "First");
            let second = named_after(first, stack, "Second");
            stack.at(first).set_property("DisplayName", second.attribute::<String>("TopicName"));
        }
        Mistake::StackCircle => {
            let other = app.stack("other");
            let first = topic(stack, "First");
            let second = named_after(first, other, "Second");
            named_after(second, stack, "Third");
        }
        Mistake::DuplicateId => {
            topic(stack, "Topic");
            topic(stack, "Topic");
        }
        Mistake::TooManyResources => {
            for number in 0..501 {
                topic(stack, &format!("Topic{number}"));
            }
        }
        Mistake::UnknownProperty => {
            CfnResource::new("AWS::SNS::Topic").property("DisplayNam", "x").define(stack, "Topic");
        }
        Mistake::UnreadableAsset => {
            topic(stack, "Topic");
            formwork::Asset::file(stack, "Code", "no/such/file.py");
        }
        Mistake::LargeTemplate => {
            for number in 0..400 {
                CfnResource::new("AWS::SSM::Parameter")
                    .property("Type", "String")
                    .property("Value", "x".repeat(4000))
                    .define(stack, &format!("Parameter{number}"));
            }
        }
    }
}

fn main() -> ExitCode {
    formwork::main(grow)
}

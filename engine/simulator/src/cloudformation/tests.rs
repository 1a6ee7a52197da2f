//! Tests of the whole: calls in, answers out, time as it is told.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Context, Options, Surroundings, World};
use crate::api::{ApiError, Content, Element, Parameters};

mod basic;
mod calls;
mod chances;
mod change_sets;
mod failures;
mod guards;
mod scale;
mod ties;

/// A world with a clock of its own and services around it that a test fills.
pub(super) struct Bench {
    pub(super) world: World,
    pub(super) around: Around,
    pub(super) now: Timestamp,
    pub(super) region: String,
}

/// What a test puts around CloudFormation.
#[derive(Default)]
pub(super) struct Around {
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) templates: BTreeMap<String, String>,
    pub(super) full_buckets: Vec<String>,
}

impl Surroundings for Around {
    fn parameter(&self, _: &str, _: &str, name: &str) -> Option<String> {
        self.parameters.get(name).cloned()
    }

    fn template(&self, _: &str, _: &str, url: &str) -> Result<String, String> {
        self.templates.get(url).cloned().ok_or_else(|| "Access Denied".to_owned())
    }

    fn delete(&mut self, resource: &super::Resource<'_>) -> Result<(), String> {
        if self.full_buckets.iter().any(|it| it == resource.physical_id) {
            return Err(
                "The bucket you tried to delete is not empty (Service: S3, Status Code: 409)".to_owned()
            );
        }
        Ok(())
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        let options = Options { early_validation: false, ..Options::default() };
        Self {
            world: World::new(options),
            around: Around::default(),
            now: "2026-03-01T12:00:00Z".parse().unwrap(),
            region: "eu-west-1".to_owned(),
        }
    }

    /// Answers a call; a text of several lines is one value.
    pub(super) fn call(&mut self, action: &str, parameters: &[(&str, &str)]) -> Result<Answer, ApiError> {
        let values =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let context = Context {
            now: self.now,
            account: "123456789012".to_owned(),
            region: self.region.clone(),
            caller: "arn:aws:iam::123456789012:user/tester".to_owned(),
            partition: "aws".to_owned(),
        };
        self.world.call(&mut self.around, &context, action, &Parameters::new(values)).map(Answer)
    }

    pub(super) fn refused(&mut self, action: &str, parameters: &[(&str, &str)]) -> String {
        self.call(action, parameters).expect_err("the call is refused").to_string()
    }

    pub(super) fn wait(&mut self, seconds: i64) {
        self.now = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        self.world.advance(&mut self.around, self.now);
    }

    /// Waits until nothing is to happen any more.
    pub(super) fn settle(&mut self) {
        while let Some(at) = self.world.next_step() {
            self.now = self.now.max(at);
            self.world.advance(&mut self.around, self.now);
        }
    }

    /// Makes a change set and gives its ARN.
    pub(super) fn change_set(
        &mut self,
        stack: &str,
        kind: &str,
        template: &str,
        more: &[(&str, &str)],
    ) -> String {
        let name = format!("set-{}", self.now.as_millisecond());
        let mut parameters = vec![
            ("StackName", stack),
            ("ChangeSetName", &name),
            ("ChangeSetType", kind),
            ("TemplateBody", template),
            ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
        ];
        parameters.extend(more);
        let id = self.call("CreateChangeSet", &parameters).expect("the change set is made").text("Id");
        self.wait(10);
        id
    }

    pub(super) fn execute(&mut self, change_set: &str, more: &[(&str, &str)]) {
        let mut parameters = vec![("ChangeSetName", change_set)];
        parameters.extend(more);
        self.call("ExecuteChangeSet", &parameters).expect("the change set is executed");
    }

    /// Makes a stack of a template, or changes it, and waits for the end.
    pub(super) fn deploy(&mut self, stack: &str, template: &str) -> String {
        self.deploy_with(stack, template, &[], &[])
    }

    pub(super) fn deploy_with(
        &mut self,
        stack: &str,
        template: &str,
        creation: &[(&str, &str)],
        execution: &[(&str, &str)],
    ) -> String {
        let fresh = self.call("DescribeStacks", &[("StackName", stack)]).is_err();
        let change_set = self.change_set(stack, if fresh { "CREATE" } else { "UPDATE" }, template, creation);
        let described = self.call("DescribeChangeSet", &[("ChangeSetName", &change_set)]).unwrap();
        assert_eq!(described.text("Status"), "CREATE_COMPLETE", "{}", described.text("StatusReason"));
        self.execute(&change_set, execution);
        self.settle();
        self.status(stack)
    }

    pub(super) fn status(&mut self, stack: &str) -> String {
        let answer = self.call("DescribeStacks", &[("StackName", stack)]);
        answer.map_or_else(|error| error.to_string(), |it| it.text("StackStatus"))
    }

    pub(super) fn reason(&mut self, stack: &str) -> String {
        self.call("DescribeStacks", &[("StackName", stack)]).unwrap().text("StackStatusReason")
    }

    /// The events from the oldest on, as `logical id status: reason`.
    pub(super) fn events(&mut self, stack: &str) -> Vec<String> {
        let mut events = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut parameters = vec![("StackName", stack)];
            if let Some(token) = &token {
                parameters.push(("NextToken", token));
            }
            let answer = self.call("DescribeStackEvents", &parameters).unwrap();
            for event in answer.members("StackEvents") {
                let reason = event.text("ResourceStatusReason");
                let end = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                events.push(format!(
                    "{} {}{end}",
                    event.text("LogicalResourceId"),
                    event.text("ResourceStatus")
                ));
            }
            let next = answer.text("NextToken");
            if next.is_empty() {
                break;
            }
            token = Some(next);
        }
        events.reverse();
        events
    }

    pub(super) fn output(&mut self, stack: &str, key: &str) -> String {
        let answer = self.call("DescribeStacks", &[("StackName", stack)]).unwrap();
        let outputs = answer.members("Stacks")[0].members("Outputs");
        outputs
            .iter()
            .find(|it| it.text("OutputKey") == key)
            .map(|it| it.text("OutputValue"))
            .unwrap_or_default()
    }

    /// The changes of a change set, as `Action logical id replacement`.
    pub(super) fn changes(&mut self, change_set: &str) -> Vec<String> {
        let answer = self.call("DescribeChangeSet", &[("ChangeSetName", change_set)]).unwrap();
        let told = |change: &Answer| {
            let text = format!(
                "{} {} {}",
                change.text("Action"),
                change.text("LogicalResourceId"),
                change.text("Replacement")
            );
            text.trim_end().to_owned()
        };
        answer.members("Changes").iter().map(told).collect()
    }
}

/// An answer, or a part of one.
#[derive(Clone, Debug)]
pub(super) struct Answer(pub(super) Vec<Element>);

impl Answer {
    /// The first text of a name, at any depth; empty when there is none.
    pub(super) fn text(&self, name: &str) -> String {
        fn find(elements: &[Element], name: &str) -> Option<String> {
            elements.iter().find_map(|element| match &element.content {
                Content::Text(text) => (element.name == name).then(|| text.clone()),
                Content::Elements(inner) => find(inner, name),
            })
        }
        find(&self.0, name).unwrap_or_default()
    }

    /// The members of a list at the top.
    pub(super) fn members(&self, name: &str) -> Vec<Answer> {
        let list = self.0.iter().find(|element| element.name == name);
        let Some(Content::Elements(members)) = list.map(|it| &it.content) else { return Vec::new() };
        let part = |member: &Element| match &member.content {
            Content::Elements(inner) => Answer(inner.clone()),
            Content::Text(text) => Answer(vec![Element::text("Text", text.as_str())]),
        };
        members.iter().map(part).collect()
    }
}

/// How long something takes from now on.
pub(super) fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).unsigned_abs()
}

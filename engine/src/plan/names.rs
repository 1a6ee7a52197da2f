//! Names that templates compute: exports and imports, as far as they can be known before a deployment.

use std::collections::{BTreeMap, BTreeSet};

use formwork_assembly::references::substitutions;
use serde_json::Value;

use super::input::entries;
use super::model::Environment;

/// What names may be made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    values: BTreeMap<String, String>,
}

impl Scope {
    /// The pseudo parameters of a stack, and the values of its parameters as far as they are known.
    pub(crate) fn new(
        stack_name: &str,
        environment: &Environment,
        parameters: &BTreeMap<String, String>,
    ) -> Self {
        let partition = partition(&environment.region);
        let suffix = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        let pseudo = [
            ("AWS::StackName", stack_name),
            ("AWS::AccountId", &environment.account),
            ("AWS::Region", &environment.region),
            ("AWS::Partition", partition),
            ("AWS::URLSuffix", suffix),
        ];
        let pseudo = pseudo.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let parameters = parameters.iter().map(|(name, value)| (name.clone(), value.clone()));
        Self { values: parameters.chain(pseudo).collect() }
    }

    /// The text that a value stands for; `None` when it is known only while the stack is deployed.
    pub(crate) fn text(&self, value: &Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Object(object) if object.len() == 1 => {
                let (function, argument) = object.iter().next()?;
                match function.as_str() {
                    "Ref" => self.values.get(argument.as_str()?).cloned(),
                    "Fn::Sub" => self.substitute(argument),
                    "Fn::Join" => {
                        let separator = argument.get(0)?.as_str()?;
                        let parts: Option<Vec<String>> =
                            argument.get(1)?.as_array()?.iter().map(|part| self.text(part)).collect();
                        Some(parts?.join(separator))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn substitute(&self, argument: &Value) -> Option<String> {
        let (text, own) = match argument {
            Value::String(text) => (text.as_str(), None),
            Value::Array(items) => (items.first()?.as_str()?, items.get(1).and_then(Value::as_object)),
            _ => return None,
        };
        let mut result = text.to_owned();
        for name in substitutions(text) {
            let value = match own.and_then(|own| own.get(name)) {
                Some(value) => self.text(value)?,
                None => self.values.get(name)?.clone(),
            };
            result = result.replace(&format!("${{{name}}}"), &value);
        }
        Some(result.replace("${!", "${"))
    }
}

/// The partition of a region, by what its name begins with.
pub(crate) fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ if region.starts_with("us-iso-") => "aws-iso",
        _ if region.starts_with("us-isob-") => "aws-iso-b",
        _ if region.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    }
}

/// The exports of a template whose names can be known: the name with the output's name.
pub(crate) fn exports(template: &Value, scope: &Scope) -> BTreeMap<String, String> {
    entries(template, "Outputs")
        .filter_map(|(output, body)| {
            let name = scope.text(body.pointer("/Export/Name")?)?;
            Some((name, output.to_owned()))
        })
        .collect()
}

/// The names that a template imports, as far as they can be known.
pub(crate) fn imports(template: &Value, scope: &Scope) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    functions(template, "Fn::ImportValue", &mut |argument| found.extend(scope.text(argument)));
    found
}

/// An output of another stack that a template reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OutputRead {
    /// The stack's name.
    pub(crate) stack: String,
    /// The output's name.
    pub(crate) output: String,
    /// The region, where it is another one than the reader's.
    pub(crate) region: Option<String>,
}

/// The outputs of other stacks that a template reads by `Fn::GetStackOutput`.
pub(crate) fn output_reads(template: &Value, scope: &Scope) -> BTreeSet<OutputRead> {
    let mut found = BTreeSet::new();
    functions(template, "Fn::GetStackOutput", &mut |argument| {
        let part = |name: &str| argument.get(name).and_then(|value| scope.text(value));
        if let (Some(stack), Some(output)) = (part("StackName"), part("OutputName")) {
            found.insert(OutputRead { stack, output, region: part("Region") });
        }
    });
    found
}

/// Calls back with the argument of each use of a function.
fn functions(value: &Value, function: &str, found: &mut impl FnMut(&Value)) {
    match value {
        Value::Object(object) => {
            for (name, content) in object {
                if name == function {
                    found(content);
                }
                functions(content, function, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| functions(item, function, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        let environment = Environment { account: "111122223333".to_owned(), region: "eu-west-1".to_owned() };
        let parameters = BTreeMap::from([("Stage".to_owned(), "dev".to_owned())]);
        Scope::new("shop", &environment, &parameters)
    }

    #[test]
    fn names_are_computed_as_far_as_they_can_be_known() {
        let scope = scope();
        let text = |value: Value| scope.text(&value);
        assert_eq!(
            text(json!({"Fn::Sub": "${AWS::StackName}:Url-${Stage}"})).as_deref(),
            Some("shop:Url-dev")
        );
        assert_eq!(text(json!({"Fn::Sub": ["${X}${!Y}", {"X": "a"}]})).as_deref(), Some("a${Y}"));
        assert_eq!(
            text(json!({"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}]]})).as_deref(),
            Some("a-eu-west-1")
        );
        assert_eq!(text(json!({"Fn::GetAtt": ["Queue", "Arn"]})), None);
        assert_eq!(text(json!({"Fn::Sub": "${Queue.Arn}"})), None);
    }

    #[test]
    fn imports_are_found_wherever_they_stand() {
        let template = json!({"Resources": {"A": {"Properties": {"X": [
            {"Fn::ImportValue": "one"},
            {"Fn::Join": ["", [{"Fn::ImportValue": {"Fn::Sub": "${AWS::StackName}:two"}}]]},
            {"Fn::GetStackOutput": {"StackName": "net", "OutputName": "Vpc", "Region": "us-east-1"}}
        ]}}}});
        let names: Vec<String> = imports(&template, &scope()).into_iter().collect();
        assert_eq!(names, ["one", "shop:two"]);
        let reads = output_reads(&template, &scope());
        let read = reads.first().unwrap();
        assert_eq!((read.stack.as_str(), read.region.as_deref()), ("net", Some("us-east-1")));
    }
}

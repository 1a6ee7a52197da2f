//! The stacks that are deployed: the platform's four, in their order, as often as wanted.
//!
//! In a group a domain and a proxy need the network, and an application needs the domain. Each has one resource of a type
//! whose typical time is known, so that the longest way of a group is about a minute.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// A stack.
struct Stack {
    name: String,
    needs: Option<String>,
    kind: &'static str,
    properties: Value,
}

/// Stacks in an order in which they can be deployed.
pub(super) struct Stacks(Vec<Stack>);

impl Stacks {
    /// So many stacks, a multiple of four.
    pub(super) fn new(count: usize) -> Self {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": "lambda.amazonaws.com"}
            }]
        });
        let table = json!({
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]
        });
        let mut stacks = Vec::new();
        for group in 0..count / 4 {
            let name = |word: &str| format!("{word}{group:03}");
            let mut add = |word: &str, needs: Option<&str>, kind, properties| {
                stacks.push(Stack { name: name(word), needs: needs.map(name), kind, properties });
            };
            add("net", None, "AWS::S3::Bucket", json!({}));
            add("domain", Some("net"), "AWS::IAM::Role", json!({"AssumeRolePolicyDocument": trust.clone()}));
            add("app", Some("domain"), "AWS::DynamoDB::Table", table.clone());
            add("proxy", Some("net"), "AWS::SNS::Topic", json!({}));
        }
        Self(stacks)
    }

    /// Writes them as a cloud assembly.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub(super) fn write(&self, folder: &Path) -> Result<(), String> {
        let written = |path: &Path, text: String| {
            fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
        };
        fs::create_dir_all(folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        let mut artifacts = json!({});
        for Stack { name, needs, kind, properties } in &self.0 {
            let mut resources = json!({
                "Main": {"Type": kind, "Properties": properties},
                "Topic": {"Type": "AWS::SNS::Topic"}
            });
            if let Some(need) = needs {
                resources["Link"] = json!({
                    "Type": "AWS::SSM::Parameter",
                    "Properties": {"Type": "String", "Value": {"Fn::ImportValue": format!("{need}-arn")}}
                });
            }
            let template = json!({
                "Resources": resources,
                "Outputs": {"Arn": {"Value": {"Ref": "Topic"}, "Export": {"Name": format!("{name}-arn")}}}
            });
            let file = format!("{name}.template.json");
            written(&folder.join(&file), template.to_string())?;
            artifacts[name] = json!({
                "type": "aws:cloudformation:stack",
                "environment": format!("aws://123456789012/{}", super::REGION),
                "properties": {"templateFile": file},
                "dependencies": needs.iter().collect::<Vec<_>>(),
            });
        }
        written(
            &folder.join("manifest.json"),
            json!({"version": "10.0.0", "artifacts": artifacts}).to_string(),
        )
    }

    /// The longest way through the stacks in seconds: of each its change set and its operation, which takes what `took`
    /// tells. A change set cannot be made before the exports are there that it imports.
    ///
    /// # Errors
    ///
    /// What `took` says.
    pub(super) fn critical_path(
        &self,
        change_set: f64,
        took: impl Fn(&str) -> Result<f64, String>,
    ) -> Result<f64, String> {
        let mut ends: BTreeMap<&str, f64> = BTreeMap::new();
        for Stack { name, needs, .. } in &self.0 {
            let before = needs.as_deref().and_then(|need| ends.get(need)).copied().unwrap_or(0.0);
            ends.insert(name, before + change_set + took(name)?);
        }
        Ok(ends.into_values().fold(0.0, f64::max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_way_goes_through_network_domain_and_application() {
        let stacks = Stacks::new(8);
        let took = |name: &str| Ok(if name.starts_with("net") { 20.0 } else { 10.0 });
        assert_eq!(stacks.critical_path(4.0, took), Ok(52.0));
        assert_eq!(stacks.0.len(), 8);
    }
}

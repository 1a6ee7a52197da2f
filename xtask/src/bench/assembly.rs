//! The stacks that are deployed: the platform's four, in their order, as often as wanted.
//!
//! In a group a domain and a proxy need the network, and an application needs the domain. Each has one resource of a type
//! whose typical time is known, so that the longest way of a group is about a minute; or the one that takes longest in the
//! platform itself, which is half an hour.

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
    /// So many stacks, a multiple of four, with the platform's slowest resources.
    pub(super) fn slow(count: usize) -> Self {
        let role = "arn:aws:iam::123456789012:role/a";
        Self::of(count, |name, word| match word {
            "net" => ("AWS::EC2::NatGateway", json!({"SubnetId": "subnet-0123456789abcdef0"})),
            "domain" => (
                "AWS::SageMaker::Domain",
                json!({"AuthMode": "IAM", "DomainName": name, "DefaultUserSettings": {"ExecutionRole": role}}),
            ),
            "app" => (
                "AWS::SageMaker::MlflowTrackingServer",
                json!({"ArtifactStoreUri": "s3://a", "RoleArn": role, "TrackingServerName": name}),
            ),
            _ => (
                "AWS::AutoScaling::AutoScalingGroup",
                json!({"InstanceId": "i-0123456789abcdef0", "MaxSize": "1", "MinSize": "1"}),
            ),
        })
    }

    /// So many stacks, a multiple of four, that take about a minute.
    pub(super) fn quick(count: usize) -> Self {
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
        Self::of(count, |_, word| match word {
            "net" => ("AWS::S3::Bucket", json!({})),
            "domain" => ("AWS::IAM::Role", json!({"AssumeRolePolicyDocument": trust.clone()})),
            "app" => ("AWS::DynamoDB::Table", table.clone()),
            _ => ("AWS::SNS::Topic", json!({})),
        })
    }

    /// So many stacks, each with the resource that is told for its name and the word for its place.
    fn of(count: usize, resource: impl Fn(&str, &str) -> (&'static str, Value)) -> Self {
        let mut stacks = Vec::new();
        for group in 0..count / 4 {
            for (word, need) in
                [("net", None), ("domain", Some("net")), ("app", Some("domain")), ("proxy", Some("net"))]
            {
                let name = format!("{word}{group:03}");
                let (kind, properties) = resource(&name, word);
                let needs = need.map(|need| format!("{need}{group:03}"));
                stacks.push(Stack { name, needs, kind, properties });
            }
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
        let stacks = Stacks::quick(8);
        let took = |name: &str| Ok(if name.starts_with("net") { 20.0 } else { 10.0 });
        assert_eq!(stacks.critical_path(4.0, took), Ok(52.0));
        assert_eq!(stacks.0.len(), 8);
    }
}

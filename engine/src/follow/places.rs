//! Which construct made which resource, and on which line: what an assembly tells besides its templates.
//!
//! Our assemblies say it in `tree.json`; the CDK's say it in the manifest's metadata, with a stack trace, and in each
//! resource's `aws:cdk:path`. All three are read, and none is needed: a failure without a place is still a failure.

use std::collections::BTreeMap;

use formwork_assembly::cloud_assembly::{MANIFEST_FILE, TREE_FILE, read_json};
use formwork_assembly::{CloudAssembly, StackArtifact};
use serde_json::Value;

/// Where a resource comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The path of the construct.
    pub construct_path: Option<String>,
    /// The source place, `file:line`.
    pub source: Option<String>,
    /// The logical id of the function that serves a custom resource.
    pub handler: Option<String>,
}

/// The places of one stack's resources by logical id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(BTreeMap<String, Place>);

impl Places {
    /// Reads what the assembly tells about a stack. What is missing or of another form is left out.
    pub fn of(assembly: &CloudAssembly, stack: &StackArtifact) -> Self {
        let mut places = Self::default();
        if let Ok(template) = assembly.template(stack) {
            places.read_template(&template);
        }
        if let Ok(manifest) = read_json::<Value>(&assembly.directory().join(MANIFEST_FILE), "manifest") {
            places.read_metadata(&manifest["artifacts"][&stack.id]["metadata"]);
        }
        if let Ok(tree) = read_json::<Value>(&assembly.directory().join(TREE_FILE), "tree")
            && let Some(node) = stack_node(&tree["tree"], stack)
        {
            places.read_tree(node);
        }
        places
    }

    /// The place of a resource.
    pub fn get(&self, logical_id: &str) -> Option<&Place> {
        self.0.get(logical_id)
    }

    fn read_template(&mut self, template: &Value) {
        for (logical_id, resource) in template["Resources"].as_object().into_iter().flatten() {
            let place = self.0.entry(logical_id.clone()).or_default();
            if let Some(path) = resource["Metadata"]["aws:cdk:path"].as_str() {
                place.construct_path = Some(without_default(path));
            }
            let token = &resource["Properties"]["ServiceToken"];
            let target = token["Ref"].as_str().or_else(|| match &token["Fn::GetAtt"] {
                Value::String(text) => text.split('.').next(),
                list => list[0].as_str(),
            });
            place.handler = target.map(str::to_owned);
        }
    }

    fn read_metadata(&mut self, metadata: &Value) {
        for (path, entries) in metadata.as_object().into_iter().flatten() {
            for entry in entries.as_array().into_iter().flatten() {
                if entry["type"] != "aws:cdk:logicalId" {
                    continue;
                }
                let Some(logical_id) = entry["data"].as_str() else { continue };
                let place = self.0.entry(logical_id.to_owned()).or_default();
                place.construct_path = Some(without_default(path.trim_start_matches('/')));
                let frames = entry["trace"].as_array().into_iter().flatten();
                place.source = frames.filter_map(Value::as_str).find_map(own_frame);
            }
        }
    }

    fn read_tree(&mut self, node: &Value) {
        if let Some(logical_id) = node["attributes"]["aws:cdk:cloudformation:logicalId"].as_str() {
            let place = self.0.entry(logical_id.to_owned()).or_default();
            place.construct_path = node["path"].as_str().map(str::to_owned);
            if let (Some(file), Some(line)) =
                (node["source"]["file"].as_str(), node["source"]["line"].as_u64())
            {
                place.source = Some(format!("{file}:{line}"));
            }
        }
        for child in node["children"].as_object().into_iter().flatten().map(|(_, child)| child) {
            self.read_tree(child);
        }
    }
}

/// The node of a stack: its path is the stack's id, or its display path in assemblies with stages.
fn stack_node<'tree>(root: &'tree Value, stack: &StackArtifact) -> Option<&'tree Value> {
    let children = root["children"].as_object()?;
    children.get(&stack.id).or_else(|| children.get(stack.stack_name()))
}

/// The CDK ends the path of a construct's main resource in `/Resource` or `/Default`; the construct is what people know.
fn without_default(path: &str) -> String {
    path.strip_suffix("/Resource").or_else(|| path.strip_suffix("/Default")).unwrap_or(path).to_owned()
}

/// The `file:line` of a frame of a JavaScript stack trace outside of libraries.
fn own_frame(frame: &str) -> Option<String> {
    if frame.contains("node_modules") || frame.contains("node:") || frame.contains("jsii-runtime") {
        return None;
    }
    let place = match (frame.rfind('('), frame.rfind(')')) {
        (Some(open), Some(close)) if open < close => &frame[open + 1..close],
        _ => frame,
    };
    let mut parts = place.trim().rsplitn(3, ':');
    let (last, line, file) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(last) && digits(line)).then(|| format!("{file}:{line}"))
}

//! An account, an assembly and a plan, in few words.

use formwork_assembly::CloudAssembly;
use formwork_engine::apply::{self, ApplyOptions, RunReport};
use formwork_engine::journal::Journal;
use formwork_engine::plan::{self, Command, Plan, PlanRequest, StackPlan};
use formwork_engine::{Control, EngineError, Runtime};
use formwork_simulator::{Script, SimulatorOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::Account;

/// A stack of an assembly.
#[derive(Clone, Debug)]
pub struct Part {
    pub id: &'static str,
    pub needs: Vec<&'static str>,
    pub template: Value,
    pub properties: Value,
    pub environment: &'static str,
}

/// A stack of these resources and outputs.
pub fn part(id: &'static str, needs: &[&'static str], template: Value) -> Part {
    Part {
        id,
        needs: needs.to_vec(),
        template,
        properties: json!({}),
        environment: "aws://unknown-account/unknown-region",
    }
}

/// A topic with a text.
pub fn topic(text: &str) -> Value {
    json!({"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": text}})
}

/// A stack with one topic.
pub fn shop(text: &str) -> Part {
    part("shop", &[], json!({"Resources": {"Topic": topic(text)}}))
}

/// A stack that exports its topic, and one that imports it.
pub fn pair() -> (Part, Part) {
    let net = json!({
        "Resources": {"Topic": topic("net")},
        "Outputs": {"Arn": {"Value": {"Ref": "Topic"}, "Export": {"Name": "net:Arn"}}}
    });
    let app = json!({"Resources": {"Parameter": {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Type": "String", "Value": {"Fn::ImportValue": "net:Arn"}}
    }}});
    (part("net", &[], net), part("app", &["net"], app))
}

/// An account and what is asked of it.
pub struct Case {
    pub account: Account,
    pub directory: TempDir,
    pub request: PlanRequest,
    runs: u32,
}

impl Case {
    pub fn new(script: &str) -> Self {
        Self::with(script, SimulatorOptions::default())
    }

    /// An account that behaves as the options say; the script is in place of theirs.
    pub fn with(script: &str, options: SimulatorOptions) -> Self {
        let script: Script = script.parse().expect("a script");
        Self {
            account: Account::with(SimulatorOptions { script, ..options }),
            directory: tempfile::tempdir().unwrap(),
            request: PlanRequest::new(Command::Deploy, "20260102-030400-aaaa"),
            runs: 0,
        }
    }

    pub fn runtime(&self) -> Runtime {
        Runtime { control: Control::default(), ..self.account.runtime.clone() }
    }

    pub fn script(&self, script: &str) {
        self.account.simulator().add(script.parse().expect("a script"));
    }

    pub fn assembly(&self, parts: &[Part]) -> CloudAssembly {
        let directory = self.directory.path().join("cfn-out");
        std::fs::create_dir_all(&directory).unwrap();
        let mut artifacts = json!({});
        for part in parts {
            let file = format!("{}.template.json", part.id);
            std::fs::write(directory.join(&file), part.template.to_string()).unwrap();
            let mut properties = part.properties.clone();
            properties["templateFile"] = json!(file);
            artifacts[part.id] = json!({
                "type": "aws:cloudformation:stack",
                "environment": part.environment,
                "properties": properties,
                "dependencies": part.needs,
            });
        }
        let manifest = json!({"version": "10.0.0", "artifacts": artifacts});
        std::fs::write(directory.join("manifest.json"), manifest.to_string()).unwrap();
        CloudAssembly::open(&directory).unwrap()
    }

    /// Makes a plan as a run of its own.
    pub async fn plan(&mut self, parts: &[Part]) -> Result<Plan, EngineError> {
        self.runs += 1;
        self.request.run = format!("20260102-0304{:02}-aaaa", self.runs);
        let journal = Journal::in_memory_of(&self.request.run, Default::default());
        plan::make(&self.request, &self.assembly(parts), &self.runtime(), &journal).await
    }

    /// Plans and carries out.
    pub async fn deploy(&mut self, parts: &[Part]) -> RunReport {
        let plan = self.plan(parts).await.unwrap();
        self.apply(&plan, parts).await
    }

    pub async fn apply(&self, plan: &Plan, parts: &[Part]) -> RunReport {
        let journal = Journal::in_memory_of(&plan.run, Default::default());
        let options = ApplyOptions::default();
        apply::run(plan, &self.assembly(parts), &options, &self.runtime(), &journal).await.unwrap()
    }

    /// The operations of the calls that changed something, since `from`.
    pub fn writes(&self, from: usize) -> Vec<String> {
        let simulator = self.account.simulator();
        let entries = simulator.log().entries().iter().skip(from);
        entries
            .filter(|entry| formwork_simulator::request_log::is_mutating(&entry.service, &entry.operation))
            .map(|entry| entry.operation.clone())
            .collect()
    }

    /// How many requests there were.
    pub fn requests(&self) -> usize {
        self.account.simulator().log().entries().len()
    }

    /// The status of a stack by its name; nothing when there is none.
    pub async fn status(&self, name: &str) -> Option<String> {
        let session = self.runtime().sessions.base().await.unwrap();
        let stack = session.cloudformation().stack(name).await.unwrap();
        stack.map(|stack| stack.status.to_string())
    }

    /// The names of a stack's change sets.
    pub async fn change_sets(&self, name: &str) -> Vec<String> {
        let session = self.runtime().sessions.base().await.unwrap();
        let sets = session.cloudformation().change_sets(name).await.unwrap();
        sets.into_iter().map(|set| set.name).collect()
    }
}

/// A stack of a plan.
pub fn of<'p>(plan: &'p Plan, id: &str) -> &'p StackPlan {
    plan.stacks.iter().find(|stack| stack.id == id).unwrap_or_else(|| panic!("no stack {id} in {plan:#?}"))
}

impl Case {
    /// Puts an object into a bucket.
    pub async fn put(&self, bucket: &str, key: &str, content: &str) {
        use formwork_engine::aws::storage::{Encryption, NewObject};
        use sha2::Digest;
        let session = self.runtime().sessions.base().await.unwrap();
        let journal = Journal::in_memory();
        let ticket = journal.intent(formwork_engine::journal::Intent::new("PutObject", key)).unwrap();
        let sha256: [u8; 32] = sha2::Sha256::digest(content).into();
        let encryption = Encryption::Unknown;
        let object = NewObject { bucket, key, sha256: &sha256, content_type: None, encryption: &encryption };
        session.storage().put(&object, content.as_bytes().to_vec().into(), &ticket).await.unwrap();
    }

    /// Deletes objects from a bucket.
    pub async fn remove(&self, bucket: &str, keys: &[String]) {
        let session = self.runtime().sessions.base().await.unwrap();
        let journal = Journal::in_memory();
        let ticket = journal.intent(formwork_engine::journal::Intent::new("DeleteObjects", bucket)).unwrap();
        session.storage().delete(bucket, keys, &ticket).await.unwrap();
    }
}

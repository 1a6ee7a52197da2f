//! An account, an assembly and a run, in few words.

use std::path::Path;

use formwork_assembly::CloudAssembly;
use formwork_engine::apply::{self, ApplyOptions, RunReport, StackReport};
use formwork_engine::aws::Session;
use formwork_engine::aws::cloudformation::{Stack, StackStatus};
use formwork_engine::journal::Journal;
use formwork_engine::plan::{self, Command, Plan, PlanRequest};
use formwork_engine::{Control, EngineError, Runtime};
use formwork_simulator::{Script, SimulatorOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::Account;

pub const RUN: &str = "20260102-030405-abcd";

/// A stack of an assembly.
#[derive(Clone, Debug)]
pub struct Part {
    pub id: &'static str,
    pub environment: &'static str,
    pub needs: Vec<&'static str>,
    pub template: Value,
    pub properties: Value,
}

/// A stack with a topic, which exports its ARN as `<id>-arn` and imports those of the stacks that it needs.
pub fn part(id: &'static str, needs: &[&'static str], text: &str) -> Part {
    let mut resources = json!({"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": text}}});
    for need in needs {
        resources[format!("From{need}")] = json!({
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Type": "String", "Value": {"Fn::ImportValue": format!("{need}-arn")}}
        });
    }
    let template = json!({
        "Resources": resources,
        "Outputs": {"Arn": {"Value": {"Ref": "Topic"}, "Export": {"Name": format!("{id}-arn")}}}
    });
    let environment = "aws://123456789012/us-east-1";
    Part { id, environment, needs: needs.to_vec(), template, properties: json!({}) }
}

/// The seed's four stacks in their order, small.
pub fn four(text: &str) -> Vec<Part> {
    vec![
        part("net", &[], text),
        part("domain", &["net"], text),
        part("app", &["domain"], text),
        part("proxy", &["net"], text),
    ]
}

/// An account with a script of what goes wrong, and a directory for assemblies and journals.
pub struct Case {
    pub account: Account,
    pub directory: TempDir,
    pub options: ApplyOptions,
    pub plan_options: plan::PlanOptions,
}

impl Case {
    pub fn new(script: &str) -> Self {
        let script: Script = script.parse().expect("a script");
        let account = Account::with(SimulatorOptions { script, ..SimulatorOptions::default() });
        Self {
            account,
            directory: tempfile::tempdir().unwrap(),
            options: ApplyOptions::default(),
            plan_options: plan::PlanOptions::default(),
        }
    }

    pub fn runtime(&self) -> &Runtime {
        &self.account.runtime
    }

    /// What another process shares: the same account and time, and nobody who wishes to stop.
    pub fn next_process(&self) -> Runtime {
        Runtime { control: Control::default(), ..self.runtime().clone() }
    }

    pub fn script(&self, script: &str) {
        self.account.simulator().add(script.parse().expect("a script"));
    }

    pub fn assembly(&self, parts: &[Part]) -> CloudAssembly {
        let directory = self.directory.path().join("cfn-out");
        write_assembly(&directory, parts);
        CloudAssembly::open(&directory).unwrap()
    }

    pub async fn plan(
        &self,
        command: Command,
        parts: &[Part],
        journal: &Journal,
    ) -> Result<Plan, EngineError> {
        let mut request = PlanRequest::new(command, journal.run());
        request.options = self.plan_options.clone();
        plan::make(&request, &self.assembly(parts), self.runtime(), journal).await
    }

    /// Plans and carries out, as another run of the program would.
    pub async fn run_as(&self, run: &str, command: Command, parts: &[Part]) -> RunReport {
        let journal = Journal::in_memory_of(run, Default::default());
        let plan = self.plan(command, parts, &journal).await.unwrap();
        let runtime = self.next_process();
        apply::run(&plan, &self.assembly(parts), &self.options, &runtime, &journal).await.unwrap()
    }

    pub async fn deploy(&self, parts: &[Part]) -> RunReport {
        let run = format!("20260102-0304{:02}-abcd", self.account.simulator().log().entries().len() % 100);
        self.run_as(&run, Command::Deploy, parts).await
    }

    pub async fn destroy(&self, parts: &[Part]) -> RunReport {
        self.run_as("20260102-040000-dddd", Command::Destroy, parts).await
    }

    /// Where a stack of the assembly that was written last is.
    pub async fn located(&self, id: &str) -> plan::Located {
        let assembly = CloudAssembly::open(&self.directory.path().join("cfn-out")).unwrap();
        let found = plan::locate(&assembly, &[id.to_owned()], None, None, &self.next_process()).await;
        found.unwrap().remove(0)
    }

    pub async fn session(&self) -> Session {
        self.runtime().sessions.base().await.unwrap()
    }

    pub async fn stack(&self, name: &str) -> Option<Stack> {
        self.session().await.cloudformation().stack(name).await.unwrap()
    }

    pub async fn status(&self, name: &str) -> Option<StackStatus> {
        self.stack(name).await.map(|stack| stack.status)
    }

    /// How often an operation took effect.
    pub fn effects(&self, operation: &str) -> usize {
        let simulator = self.account.simulator();
        let entries = simulator.log().entries();
        entries.iter().filter(|it| it.operation == operation && it.done && !it.repeats).count()
    }

    /// How often an operation was called.
    pub fn calls(&self, operation: &str) -> usize {
        self.account.simulator().log().entries().iter().filter(|it| it.operation == operation).count()
    }
}

pub fn write_assembly(directory: &Path, parts: &[Part]) {
    std::fs::create_dir_all(directory).unwrap();
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
}

/// A stack's report.
pub fn of<'r>(report: &'r RunReport, id: &str) -> &'r StackReport {
    report
        .stacks
        .iter()
        .find(|stack| stack.id == id)
        .unwrap_or_else(|| panic!("no stack {id} in {report:#?}"))
}

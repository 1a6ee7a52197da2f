//! `formwork rehearse`: the same plan and apply, by the same engine, on an account that is simulated in this process.

use formwork_engine::apply::ApplyOptions;
use formwork_engine::journal::Journal;
use formwork_engine::plan::{self, Command};
use formwork_simulator::faults::BucketSetting;
use formwork_simulator::{Simulator, SimulatorOptions};

use crate::application;
use crate::arguments::RehearseArguments;
use crate::console::Console;
use crate::deployment::request::{apply_options, plan_request};
use crate::deployment::{Undertaking, Workplace, critical_path, simulated};
use crate::failure::Failure;
use crate::report::StackReport;
use crate::settings::Settings;

/// Said first and last: nobody shall take a rehearsal for a deployment.
const NOTICE: &str =
    "rehearsal: a simulated account inside this program; nothing is deployed and nothing costs\n";

pub(crate) fn run(
    arguments: &RehearseArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    console.talk(NOTICE);
    let outcome = application::run(settings, &std::env::temp_dir())?;
    console.diagnostics(&outcome.diagnostics);
    outcome.verdict()?;
    let Some(assembly) = outcome.assembly() else { return Ok(()) };
    let stacks: Vec<StackReport> = outcome.stacks()?.into_iter().map(|stack| stack.report).collect();
    let mut script = String::new();
    for resource in &arguments.fail {
        script.push_str(&format!("resource {resource} fail \"failed on purpose, by --fail {resource}\"\n"));
    }
    for rule in &arguments.fault {
        script.push_str(&format!("{rule}\n"));
    }
    let script = script.parse().map_err(|error| {
        Failure::Usage(format!("{error}\nhint: docs/rehearsal.md has the words of faults"))
    })?;
    let region = settings.region.as_ref().map_or("us-east-1", |region| region.value.as_str());
    let account = settings.account.as_ref().map_or("123456789012", |account| account.value.as_str());
    let options = SimulatorOptions {
        region: region.to_owned(),
        account: account.to_owned(),
        script,
        ..SimulatorOptions::default()
    };
    let mut simulator = Simulator::new(options);
    simulated::bootstrap(&mut simulator, assembly, account, region)?;
    if let Some(bucket) = &settings.assets.bucket {
        simulator.services_mut().storage.set(bucket, &BucketSetting::Exists);
    }
    let workplace = Workplace::rehearsal(
        settings,
        arguments.speed,
        |clock| simulated::transport(simulator, clock),
        &arguments.run.progress,
        console,
    )?;
    let journal = Journal::in_memory();
    let mut request = plan_request(
        Command::Deploy,
        journal.run(),
        &arguments.selection,
        &stacks,
        &arguments.options,
        settings,
    )?;
    // A rehearsal builds nothing.
    request.publish.stand_ins = true;
    let undertaking = Undertaking { workplace: &workplace, journal: &journal, assembly, console };
    let plan = undertaking.plan(&request)?;
    undertaking.show(&plan);
    console.talk(&critical_path::text(&plan::critical_path(&plan, Some(assembly))));
    let options = ApplyOptions {
        parameters: request.parameters.clone(),
        approved_by: "rehearsal".to_owned(),
        ..apply_options(&arguments.run)
    };
    let concluded = undertaking.carry_out(&plan, options, None);
    console.talk(NOTICE);
    concluded
}

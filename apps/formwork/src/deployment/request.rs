//! From arguments and settings to what is asked of the engine.

use std::time::Duration;

use formwork_engine::apply::ApplyOptions;
use formwork_engine::assets::PublishOptions;
use formwork_engine::aws::cloudformation::RollbackConfiguration;
use formwork_engine::plan::{self, GivenParameter, PlanRequest, Removals};

use crate::arguments::{ParameterOptions, PlanOptions, Removable, RunOptions, StackSelection};
use crate::failure::Failure;
use crate::report::StackReport;
use crate::selection::select;
use crate::settings::Settings;

/// What is asked of a plan.
///
/// # Errors
/// When a pattern names no stack.
pub(crate) fn plan_request(
    command: plan::Command,
    run: &str,
    selection: &StackSelection,
    stacks: &[StackReport],
    options: &PlanOptions,
    settings: &Settings,
) -> Result<PlanRequest, Failure> {
    let selected = select(stacks, &selection.stacks)?;
    let value =
        |setting: &Option<crate::settings::Setting>| setting.as_ref().map(|setting| setting.value.clone());
    Ok(PlanRequest {
        stacks: if selection.stacks.is_empty() {
            Vec::new()
        } else {
            selected.iter().map(|stack| stack.id.clone()).collect()
        },
        exclusively: selection.exclusively,
        options: plan::PlanOptions {
            rollback: !options.no_rollback,
            revert_drift: options.revert_drift,
            import_existing: options.import_existing,
            adopt: options.adopt,
            force: options.force,
            capabilities: (!options.capabilities.is_empty()).then(|| options.capabilities.clone()),
            execution_role_arn: options.role_arn.clone(),
            notification_arns: options.notification_arns.clone(),
            tags: options.tags.iter().cloned().collect(),
            // Without alarms CloudFormation waits all the same before it cleans up.
            rollback_configuration: (!options.rollback_alarms.is_empty() || options.monitoring_time > 0)
                .then(|| RollbackConfiguration {
                    alarm_arns: options.rollback_alarms.clone(),
                    monitoring_minutes: options.monitoring_time,
                }),
            bucket: settings.assets.bucket.clone(),
            qualifier: settings.assets.other_qualifier(),
            ..plan::PlanOptions::default()
        },
        parameters: given_parameters(&options.parameters),
        previous_parameters: options.previous_parameters,
        region: value(&settings.region),
        account: value(&settings.account),
        publish: PublishOptions { cache: settings.asset_cache.clone(), ..PublishOptions::default() },
        executable: std::env::current_exe().unwrap_or_else(|_| "formwork".into()),
        ..PlanRequest::new(command, run)
    })
}

/// What a destruction removes besides the stacks.
pub(crate) fn removals(remove: &[Removable]) -> Removals {
    let removes = |what| remove.contains(&what);
    Removals {
        content: removes(Removable::Content),
        studio: removes(Removable::Studio),
        protection: removes(Removable::Protection),
    }
}

/// How a plan is carried out; who approved it comes later.
pub(crate) fn apply_options(options: &RunOptions) -> ApplyOptions {
    ApplyOptions {
        concurrency: usize::from(options.concurrency),
        fail_fast: options.fail_fast,
        limit: options.timeout.map(|minutes| Duration::from_secs(u64::from(minutes) * 60)),
        ..ApplyOptions::default()
    }
}

/// The values that are given for parameters.
pub(crate) fn given_parameters(options: &ParameterOptions) -> Vec<GivenParameter> {
    let parameter = |(name, value): &(String, String)| {
        let (stack, name) = match name.split_once(':') {
            Some((stack, name)) => (Some(stack.to_owned()), name.to_owned()),
            None => (None, name.clone()),
        };
        GivenParameter { stack, name, value: value.clone() }
    };
    options.given.iter().map(parameter).collect()
}

//! The plan file: `formwork plan --out plan.json` writes it, `formwork apply plan.json` carries out exactly it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::assets::PublishOptions;
use crate::aws::cloudformation::{ResourceChange, RollbackConfiguration, StackStatus};

/// The version of the plan file's form.
pub const FORMAT: u32 = 1;

/// What a run would do, over all stacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The version of the file's form, [`FORMAT`].
    pub format: u32,
    /// The version of the program that made it.
    pub program: String,
    /// The run that it belongs to; names of change sets begin with it.
    pub run: String,
    /// `deploy` or `destroy`.
    pub command: Command,
    /// When it was made.
    #[schemars(with = "String")]
    pub created: Timestamp,
    /// The assembly's directory, relative to the plan file or absolute.
    pub assembly: String,
    /// Who planned where.
    pub environments: Vec<PlannedEnvironment>,
    /// The options that are part of what is approved.
    pub options: PlanOptions,
    /// The stacks, each after those that it needs; the other way round when stacks are deleted.
    pub stacks: Vec<StackPlan>,
    /// The SHA-256 of all of the above as compact sorted JSON with this member empty, in hex: shows a changed file.
    pub digest: String,
}

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// Stacks are made or changed.
    Deploy,
    /// Stacks are deleted.
    Destroy,
}

/// An account and region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// The account, 12 digits.
    pub account: String,
    /// The region.
    pub region: String,
}

/// Who acts in an environment: who planned, or who carries the plan out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedEnvironment {
    /// Where.
    #[serde(flatten)]
    pub environment: Environment,
    /// The caller's ARN.
    pub identity: String,
}

/// Options that are part of what is approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PlanOptions {
    /// Whether a failed operation is taken back.
    pub rollback: bool,
    /// Whether drift is taken back.
    pub revert_drift: bool,
    /// Whether named resources that exist are taken in.
    pub import_existing: bool,
    /// Whether stacks without our mark may be changed.
    pub adopt: bool,
    /// Whether unchanged stacks are deployed as well; on a destruction, whether whatever cannot be deleted is left behind.
    pub force: bool,
    /// On a destruction: the resources to leave behind where they cannot be deleted, as `LogicalId` or `STACK.LogicalId`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retain: Vec<String>,
    /// Whether no change set was made, so that the plan can be looked at and not be carried out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub templates_only: bool,
    /// The role that CloudFormation acts with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_role_arn: Option<String>,
    /// The topics to tell of events.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notification_arns: Vec<String>,
    /// Tags of every stack, on top of the assembly's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Alarms that stop an update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_configuration: Option<RollbackConfiguration>,
    /// The capabilities that are granted; all when nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
    /// The bucket for assets and large templates that was given instead of a bootstrap stack's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// The qualifier of the bootstrap stack, where it is not the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qualifier: Option<String>,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            rollback: true,
            revert_drift: false,
            import_existing: false,
            adopt: false,
            force: false,
            retain: Vec::new(),
            templates_only: false,
            execution_role_arn: None,
            notification_arns: Vec::new(),
            tags: BTreeMap::new(),
            rollback_configuration: None,
            capabilities: None,
            bucket: None,
            qualifier: None,
        }
    }
}

impl PlanOptions {
    /// How assets are published, with the bucket and the bootstrap stack of these options.
    pub(crate) fn publishing(&self, options: &PublishOptions) -> PublishOptions {
        let mut options = options.clone();
        options.bucket = self.bucket.clone().or(options.bucket);
        options.qualifier = self.qualifier.clone().unwrap_or(options.qualifier);
        options
    }
}

/// What happens to one stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StackPlan {
    /// The stack's id in the assembly.
    pub id: String,
    /// Its name in CloudFormation.
    pub name: String,
    /// Where.
    pub environment: Environment,
    /// What is done.
    pub operation: Operation,
    /// Whether the stack carried no mark of ours and is taken over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopted: bool,
    /// The ids of the stacks of this plan that come first.
    pub needs: Vec<String>,
    /// Why the change set can only be made once others are deployed; what is approved then is the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisional: Option<String>,
    /// The template; none when the stack is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<PlannedTemplate>,
    /// The template of the first of two phases, when exports that are in use are kept until their importers are changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_phase: Option<FirstPhase>,
    /// The parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, PlannedParameter>,
    /// The tags that the stack gets, the owner mark among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The role that is assumed for this stack's calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume_role_arn: Option<String>,
    /// The role that CloudFormation acts with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_role_arn: Option<String>,
    /// What `sts:ExternalId` the role wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The topics that are told of the stack's events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notification_arns: Vec<String>,
    /// Whether deletion is to be refused; nothing when the assembly does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub termination_protection: Option<bool>,
    /// The files that have to be in a bucket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<PlannedAsset>,
    /// The change set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_set: Option<PlannedChangeSet>,
    /// The stack as it was when the plan was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<BaseState>,
    /// What changes. Provisional plans have what the template alone tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ResourceChange>,
    /// What would be lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<Loss>,
    /// Where rights or reachability grow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broadenings: Vec<Broadening>,
    /// What has to be removed before the stack can be deleted, and was asked to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removals: Vec<Removal>,
    /// What stays after the stack is deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Left>,
    /// What the user should know besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Something that stands in the way of a deletion and is removed first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Removal {
    /// What kind of thing it is.
    pub kind: RemovalKind,
    /// The logical id of the resource that it belongs to; empty for the stack itself.
    pub logical_id: String,
    /// What it is removed from: the bucket, the repository, the domain, the stack.
    pub physical_id: String,
    /// Its own name where there are several: of an app `space:OWNER/TYPE/NAME` or `user:OWNER/TYPE/NAME`, of a space its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The kinds of things that stand in the way of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RemovalKind {
    /// The objects of a bucket, all versions.
    BucketContent,
    /// The images of a repository.
    RepositoryImages,
    /// An app of a Studio domain.
    StudioApp,
    /// A space of a Studio domain.
    StudioSpace,
    /// The termination protection of the stack.
    TerminationProtection,
}

/// A resource that stays after its stack is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// The logical id.
    pub logical_id: String,
    /// The type.
    pub resource_type: String,
    /// The physical id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// What it goes on costing, in plain words; nothing when it costs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<String>,
}

/// What is done with a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// It is made.
    Create,
    /// A stack whose creation failed is deleted, then made.
    Recreate,
    /// It is changed.
    Update,
    /// Existing resources are taken in.
    Import,
    /// Nothing.
    Nothing,
    /// It is deleted.
    Delete,
}

/// A template as it is approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedTemplate {
    /// The SHA-256 of the bytes, in hex.
    pub sha256: String,
    /// The size in bytes.
    pub bytes: usize,
    /// Where it lies in S3; nothing when it goes with the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The first of two phases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FirstPhase {
    /// The template that still has the exports.
    pub template: PlannedTemplate,
    /// The exports that are kept, and the names of the stacks that import them.
    pub kept_exports: BTreeMap<String, Vec<String>>,
    /// The ids of the stacks of this plan that stop importing between the phases: the second phase comes after them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then_after: Vec<String>,
    /// The names of importing stacks outside the plan. While there is one, the second phase is left for a later run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_by: Vec<String>,
}

/// A parameter as it is approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedParameter {
    /// Where the value comes from.
    pub source: ParameterSource,
    /// The value; left out when the parameter is `NoEcho`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The value's SHA-256 in hex, except for `NoEcho` (a digest of a short secret is as good as the secret).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What the SSM parameter held that the value names; for parameters of an SSM type only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<String>,
}

/// Where a parameter's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterSource {
    /// `--parameters`.
    Given,
    /// The assembly.
    Assembly,
    /// An asset that was published.
    Asset,
    /// What the stack has now.
    Previous,
    /// The template's default.
    Default,
}

/// A file that has to be in a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedAsset {
    /// The asset's id in the manifest.
    pub id: String,
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The SHA-256 of what lies there, in hex, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// The change set that is approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedChangeSet {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The stack's ARN.
    pub stack_id: String,
}

/// A stack before the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BaseState {
    /// The stack's ARN.
    pub stack_id: String,
    /// Its status.
    pub status: StackStatus,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub updated: Option<Timestamp>,
}

/// Data that a change would lose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Loss {
    /// The logical id.
    pub logical_id: String,
    /// The type.
    pub resource_type: String,
    /// `replace` or `delete`: what `--allow` has to say.
    pub by: LossKind,
    /// What is lost, in plain words: "all runs are lost".
    pub words: String,
}

/// How data would be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// The resource is replaced by an empty one.
    Replace,
    /// The resource is deleted.
    Delete,
}

/// Something that grows rights or reachability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Broadening {
    /// The logical id.
    pub logical_id: String,
    /// The type.
    pub resource_type: String,
    /// What grows, in plain words.
    pub words: String,
}

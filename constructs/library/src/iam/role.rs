//! Roles whose trust is narrowed to this account, and the grants that are attached to them where they are used.

use std::cell::Cell;
use std::rc::Rc;

use formwork::{Dependency, Diagnostic, IntoValue, Output, ResourceId, RoleArn, Scope, Value, pseudo, text};
use formwork_resources::iam::{CfnManagedPolicy, CfnPolicy, CfnRole};

use super::size::{inline_policies_mistake, managed_policy_mistake};
use super::{PolicyDocument, Principal, Statement};

/// The services that assume roles of this library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServicePrincipal {
    /// Amazon API Gateway.
    ApiGateway,
    /// Amazon EC2, for instance profiles.
    Ec2,
    /// Tasks of Amazon ECS, also those that AWS Batch starts: their own roles and the roles that start them.
    EcsTasks,
    /// Amazon EventBridge, for the targets of rules.
    EventBridge,
    /// AWS Lambda, for execution roles.
    Lambda,
    /// Amazon SageMaker AI.
    SageMaker,
    /// AWS Step Functions, for state machines.
    StepFunctions,
    /// Amazon VPC, for the delivery of flow logs.
    VpcFlowLogs,
}

impl ServicePrincipal {
    /// The principal's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ApiGateway => "apigateway.amazonaws.com",
            Self::Ec2 => "ec2.amazonaws.com",
            Self::EcsTasks => "ecs-tasks.amazonaws.com",
            Self::EventBridge => "events.amazonaws.com",
            Self::Lambda => "lambda.amazonaws.com",
            Self::SageMaker => "sagemaker.amazonaws.com",
            Self::StepFunctions => "states.amazonaws.com",
            Self::VpcFlowLogs => "vpc-flow-logs.amazonaws.com",
        }
    }

    /// The operator with which `aws:SourceAccount` is compared. AWS documents for some services that they send the key;
    /// of those for which it does not, a role must stay usable when the key is absent.
    ///
    /// Source: the pages "Cross-service confused deputy prevention" of the Amazon SageMaker AI, Amazon VPC and AWS Step
    /// Functions guides.
    fn source_account_operator(self) -> &'static str {
        match self {
            Self::SageMaker | Self::StepFunctions | Self::VpcFlowLogs => "StringEquals",
            Self::ApiGateway | Self::Ec2 | Self::EcsTasks | Self::EventBridge | Self::Lambda => {
                "StringEqualsIfExists"
            }
        }
    }

    fn source_arn_operator(self) -> &'static str {
        match self.source_account_operator() {
            "StringEquals" => "ArnLike",
            _ => "ArnLikeIfExists",
        }
    }

    /// The trust policy that lets the service assume a role on behalf of this account only, and of things with an ARN
    /// only when one is given.
    pub fn trust(self, source_arn: Option<&Value<String>>) -> PolicyDocument {
        let mut statement = Statement::allow(["sts:AssumeRole"])
            .principal(Principal::Service(self.name()))
            .when(self.source_account_operator(), "aws:SourceAccount", pseudo::account_id());
        if let Some(arn) = source_arn {
            statement = statement.when(self.source_arn_operator(), "aws:SourceArn", arn);
        }
        PolicyDocument::new([statement])
    }
}

/// What can be said about a role.
#[derive(Clone, Debug, Default)]
pub struct RoleProps {
    /// What the role is for, 1,000 characters at most.
    pub description: String,
    /// The ARNs of managed policies to attach. Scoped statements by [`Role::grant`] are better.
    pub managed_policies: Vec<Value<String>>,
    /// What the role may do from the start; more is added with [`Role::grant`].
    pub statements: Vec<Statement>,
    /// The ARN, with wildcards, of the things on whose behalf the service may assume the role. Only for roles of
    /// services.
    pub source_arn: Option<Value<String>>,
}

/// A role. Its name is CloudFormation's choice, so that stacks of one account never collide.
#[derive(Clone, Debug)]
pub struct Role {
    /// The ARN.
    pub arn: Value<RoleArn>,
    /// The name.
    pub name: Value<String>,
    resource: Option<ResourceId>,
    /// The characters of the inline policies that it has so far, of all who hold a copy of it.
    inline_characters: Rc<Cell<usize>>,
}

impl Role {
    /// A role that a service assumes on behalf of this account.
    #[track_caller]
    pub fn for_service(scope: Scope<'_>, id: &str, service: ServicePrincipal, props: RoleProps) -> Self {
        Self::with_trust(scope, id, service.trust(props.source_arn.as_ref()), props)
    }

    /// A role that another role of this account assumes.
    #[track_caller]
    pub fn for_role(scope: Scope<'_>, id: &str, other: &Role, props: RoleProps) -> Self {
        let trust = PolicyDocument::new([
            Statement::allow(["sts:AssumeRole"]).principal(Principal::Role(other.arn.clone()))
        ]);
        Self::with_trust(scope, id, trust, props)
    }

    /// A role that users, roles or accounts assume which somebody else names, by ARN. An account's ARN ends with `:root`.
    ///
    /// None at all, or everybody, is an error.
    #[track_caller]
    pub fn for_principals(
        scope: Scope<'_>,
        id: &str,
        trusted: impl IntoIterator<Item = Value<String>>,
        props: RoleProps,
    ) -> Self {
        let mut statement = Statement::allow(["sts:AssumeRole"]);
        let mut count = 0_usize;
        for arn in trusted {
            let text = arn.as_literal().and_then(|literal| literal.as_str().map(str::to_owned));
            if let Some(wrong) = text.filter(|text| !is_principal(text)) {
                let message = format!("`{wrong}` is not the ARN of a user, a role or an account");
                let hint =
                    "write arn:aws:iam::111122223333:role/NAME, .../user/NAME, or :root for an account";
                scope.report(Diagnostic::error("trusted-principal", message).with_hint(hint));
            }
            statement = statement.principal(Principal::Named(arn));
            count += 1;
        }
        if count == 0 {
            let message = format!("nobody is named who may assume the role `{id}`");
            let hint = "name the ARNs of users, roles or accounts";
            scope.report(Diagnostic::error("trusted-principal", message).with_hint(hint));
        }
        Self::with_trust(scope, id, PolicyDocument::new([statement]), props)
    }

    #[track_caller]
    fn with_trust(scope: Scope<'_>, id: &str, trust: PolicyDocument, props: RoleProps) -> Self {
        let mut role = CfnRole::new(trust);
        if !props.description.is_empty() {
            role = role.description(props.description);
        }
        if !props.managed_policies.is_empty() {
            role = role.managed_policy_arns(props.managed_policies);
        }
        let defined = role.define(scope, id);
        let role = Self {
            arn: defined.arn(),
            name: defined.role_name(),
            resource: Some(defined.resource()),
            inline_characters: Rc::default(),
        };
        if !props.statements.is_empty() {
            role.grant(scope, &format!("{id}Policy"), props.statements);
        }
        role
    }

    /// A role that exists already, by name and ARN. Grants still attach policies to it.
    pub fn existing(name: Value<String>, arn: Value<RoleArn>) -> Self {
        Self { arn, name, resource: None, inline_characters: Rc::default() }
    }

    /// Lets the role do more. The policy is a resource of its own in the caller's scope, so that a role of one stack can
    /// be granted what another stack makes without a circle between the two.
    ///
    /// More than 10,240 characters of grants to one role are an error, because IAM refuses them.
    #[track_caller]
    pub fn grant(
        &self,
        scope: Scope<'_>,
        id: &str,
        statements: impl IntoIterator<Item = Statement>,
    ) -> ResourceId {
        let document = PolicyDocument::new(statements);
        for mistake in document.mistakes() {
            scope.report(mistake);
        }
        self.inline_characters.set(self.inline_characters.get() + document.characters());
        let too_long = inline_policies_mistake(self.inline_characters.get());
        let name = self.policy_name(&scope.path(), id);
        let policy = CfnPolicy::new(document, name).roles([&self.name]).define(scope, id).resource();
        if let Some(mistake) = too_long {
            scope.at(policy).report(mistake);
        }
        policy
    }

    /// Lets the role do more by a managed policy, which does not count among its inline ones: each may have 6,144
    /// characters, and a role 10 of them unless the account's quota is raised.
    #[track_caller]
    pub fn attach(
        &self,
        scope: Scope<'_>,
        id: &str,
        description: &str,
        statements: impl IntoIterator<Item = Statement>,
    ) -> ResourceId {
        let document = PolicyDocument::new(statements);
        for mistake in document.mistakes() {
            scope.report(mistake);
        }
        let too_long = managed_policy_mistake(document.characters());
        let policy = CfnManagedPolicy::new(document)
            .description(description)
            .roles([&self.name])
            .define(scope, id)
            .resource();
        if let Some(mistake) = too_long {
            scope.at(policy).report(mistake);
        }
        policy
    }

    /// A name that is unique among the inline policies of the role, whichever scopes grant to it.
    ///
    /// Stacks of two regions may have the same paths. They cannot share a role that a stack makes, but they can share one
    /// that exists already, and would then write each other's policy.
    fn policy_name(&self, path: &str, id: &str) -> Value<String> {
        match self.resource {
            Some(_) => path_name(path, id, LONGEST_POLICY_NAME).into_value(),
            None => {
                let name = path_name(path, id, LONGEST_POLICY_NAME - LONGEST_REGION - 1);
                text!("{}-{}", name, pseudo::region())
            }
        }
    }

    /// What to wait for to be sure that the role exists, when this app makes it.
    pub fn dependency(&self) -> Option<Dependency> {
        self.resource.map(Dependency::from)
    }

    /// Shows the role's ARN as an output.
    #[track_caller]
    pub fn output(&self, scope: Scope<'_>, id: &str, description: &str) {
        Output::new(&self.arn).description(description).define(scope, id);
    }
}

/// Whether a text is the ARN of somebody of IAM or STS.
fn is_principal(text: &str) -> bool {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, name] = fields[..] else { return false };
    let known =
        |kind: &str| name.strip_prefix(kind).is_some_and(|name| !name.is_empty() && !name.contains('*'));
    arn == "arn"
        && partition.starts_with("aws")
        && matches!(service, "iam" | "sts")
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|digit| digit.is_ascii_digit())
        && (name == "root" || ["role/", "user/", "assumed-role/"].into_iter().any(known))
}

/// The longest name of a policy (IAM user guide, "IAM and AWS STS quotas").
const LONGEST_POLICY_NAME: usize = 128;

/// Room for the name of a region; the longest today is `ap-northeast-1`.
const LONGEST_REGION: usize = 24;

/// A path as the name of a policy: with hyphens for what such a name cannot have. Of a long path the end tells more.
fn path_name(path: &str, id: &str, longest: usize) -> String {
    let name: String = format!("{path}-{id}")
        .chars()
        .map(|character| match character {
            '+' | '=' | ',' | '.' | '@' | '_' | '-' => character,
            letter if letter.is_ascii_alphanumeric() => letter,
            _ => '-',
        })
        .collect();
    let start = name.len().saturating_sub(longest);
    name[start..].trim_start_matches('-').to_owned()
}

//! What the users of a domain may do: work in spaces of their own, run jobs, host models, use the domain's bucket.
//!
//! Sources: Amazon SageMaker AI Developer Guide, "IAM policies for SageMaker Studio" (apps and spaces of their owners),
//! "SageMaker AI roles" (what jobs and models need); Service Authorization Reference, for which actions have a resource.

use formwork::{DomainId, Scope, SecurityGroupId, SubnetId, Value, pseudo, text};

use super::SageMakerDomainProps;
use crate::iam::{Role, Statement, pull_images};
use crate::storage::{DataBucket, ObjectAccess};

/// Gives the role its policies. They name the domain, which names the role: policies of their own break that circle.
///
/// They are managed policies of 6,144 characters each, because all inline policies of a role have 10,240 together: that
/// room is left for those who grant the role more, such as each MLflow (IAM User Guide, "IAM and AWS STS quotas").
#[track_caller]
pub(super) fn grant(
    scope: Scope<'_>,
    role: &Role,
    domain_id: &Value<DomainId>,
    props: &SageMakerDomainProps<'_>,
    bucket: &DataBucket,
    security_group: &Value<SecurityGroupId>,
) {
    role.attach(scope, "StudioPolicy", "Apps and spaces of Studio", studio(domain_id));
    let mut work = jobs_and_models(role);
    work.extend(model_registry());
    work.extend(images_logs_and_metrics());
    work.extend(bucket.statements("", ObjectAccess::Full));
    role.attach(scope, "WorkPolicy", "Jobs, models and data of Studio", work);
    // The subnets alone, of which a domain takes 16, could fill the policy above.
    let network = network_interfaces(&props.networking.private_subnets, security_group);
    role.attach(scope, "NetworkPolicy", "Network interfaces of Studio's jobs", network);
}

/// An ARN of SageMaker in this account and region. Names of jobs, models and the like are their makers' choice.
fn sagemaker(resource: impl formwork::IntoValue<String>) -> Value<String> {
    text!("arn:{}:sagemaker:{}:{}:{}", pseudo::partition(), pseudo::region(), pseudo::account_id(), resource)
}

/// Apps and spaces: private ones for their owner alone, shared ones without an owner for all users of the domain.
fn studio(domain_id: &Value<DomainId>) -> Vec<Statement> {
    let spaces = || sagemaker(text!("space/{}/*", domain_id));
    let apps = || sagemaker(text!("app/{}/*", domain_id));
    let own_profile = || sagemaker(text!("user-profile/{}/${{sagemaker:UserProfileName}}", domain_id));
    let owned =
        |statement: Statement| statement.when("ArnLike", "sagemaker:OwnerUserProfileArn", own_profile());
    let without_owner =
        |statement: Statement| statement.when("Null", "sagemaker:OwnerUserProfileArn", "true");
    vec![
        Statement::allow([
            "sagemaker:ListApps",
            "sagemaker:ListDomains",
            "sagemaker:ListMlflowApps",
            "sagemaker:ListMlflowTrackingServers",
            "sagemaker:ListSpaces",
            "sagemaker:ListUserProfiles",
        ])
        .sid("FindWhatThereIs")
        .on_any_resource("listing has no resource type"),
        Statement::allow([
            "sagemaker:DescribeApp",
            "sagemaker:DescribeDomain",
            "sagemaker:DescribeSpace",
            "sagemaker:DescribeUserProfile",
        ])
        .sid("ReadTheDomain")
        .on(sagemaker(text!("domain/{}", domain_id)))
        .on(sagemaker(text!("user-profile/{}/*", domain_id)))
        .on(spaces())
        .on(apps()),
        Statement::allow(["sagemaker:CreatePresignedDomainUrl"]).sid("OpenOwnProfile").on(own_profile()),
        owned(Statement::allow(SPACE_ACTIONS).sid("OwnSpaces").on(spaces())).when_any(
            "StringEquals",
            "sagemaker:SpaceSharingType",
            ["Private", "Shared"],
        ),
        without_owner(Statement::allow(SPACE_ACTIONS).sid("SpacesWithoutOwner").on(spaces())),
        owned(Statement::allow(APP_ACTIONS).sid("AppsOfOwnSpaces").on(apps())).when_any(
            "StringEquals",
            "sagemaker:SpaceSharingType",
            ["Private"],
        ),
        Statement::allow(APP_ACTIONS).sid("AppsOfSharedSpaces").on(apps()).when_any(
            "StringEquals",
            "sagemaker:SpaceSharingType",
            ["Shared"],
        ),
        without_owner(Statement::allow(APP_ACTIONS).sid("AppsWithoutOwner").on(apps())),
        Statement::allow(["sagemaker:AddTags"]).sid("TagWhatIsMade").on(spaces()).on(apps()).when(
            "Null",
            "sagemaker:TaggingAction",
            "false",
        ),
    ]
}

const SPACE_ACTIONS: [&str; 3] = ["sagemaker:CreateSpace", "sagemaker:DeleteSpace", "sagemaker:UpdateSpace"];
const APP_ACTIONS: [&str; 2] = ["sagemaker:CreateApp", "sagemaker:DeleteApp"];

fn jobs_and_models(role: &Role) -> Vec<Statement> {
    vec![
        Statement::allow([
            "sagemaker:AddTags",
            "sagemaker:CreateProcessingJob",
            "sagemaker:CreateTrainingJob",
            "sagemaker:CreateTransformJob",
            "sagemaker:DescribeProcessingJob",
            "sagemaker:DescribeTrainingJob",
            "sagemaker:DescribeTransformJob",
            "sagemaker:ListTags",
            "sagemaker:StopProcessingJob",
            "sagemaker:StopTrainingJob",
            "sagemaker:StopTransformJob",
        ])
        .sid("RunJobs")
        .on(sagemaker("processing-job/*"))
        .on(sagemaker("training-job/*"))
        .on(sagemaker("transform-job/*")),
        Statement::allow([
            "sagemaker:AddTags",
            "sagemaker:CreateEndpoint",
            "sagemaker:CreateEndpointConfig",
            "sagemaker:CreateModel",
            "sagemaker:DeleteEndpoint",
            "sagemaker:DeleteEndpointConfig",
            "sagemaker:DeleteModel",
            "sagemaker:DescribeEndpoint",
            "sagemaker:DescribeEndpointConfig",
            "sagemaker:DescribeModel",
            "sagemaker:InvokeEndpoint",
            "sagemaker:ListTags",
            "sagemaker:UpdateEndpoint",
        ])
        .sid("HostModels")
        .on(sagemaker("endpoint/*"))
        .on(sagemaker("endpoint-config/*"))
        .on(sagemaker("model/*")),
        Statement::allow([
            "sagemaker:ListEndpointConfigs",
            "sagemaker:ListEndpoints",
            "sagemaker:ListModelPackageGroups",
            "sagemaker:ListModels",
            "sagemaker:ListProcessingJobs",
            "sagemaker:ListTrainingJobs",
            "sagemaker:ListTransformJobs",
            "sagemaker:Search",
        ])
        .sid("FindJobsAndModels")
        .on_any_resource("listing has no resource type"),
        Statement::allow(["iam:PassRole"]).sid("PassItselfToJobs").on(&role.arn).when(
            "StringEquals",
            "iam:PassedToService",
            "sagemaker.amazonaws.com",
        ),
    ]
}

fn model_registry() -> Vec<Statement> {
    vec![
        Statement::allow([
            "sagemaker:AddTags",
            "sagemaker:CreateModelPackage",
            "sagemaker:CreateModelPackageGroup",
            "sagemaker:DescribeModelPackage",
            "sagemaker:DescribeModelPackageGroup",
            "sagemaker:ListModelPackages",
            "sagemaker:ListTags",
            "sagemaker:UpdateModelPackage",
        ])
        .sid("RegisterModels")
        .on(sagemaker("model-package/*"))
        .on(sagemaker("model-package-group/*")),
    ]
}

fn images_logs_and_metrics() -> Vec<Statement> {
    let logs = text!(
        "arn:{}:logs:{}:{}:log-group:/aws/sagemaker/*",
        pseudo::partition(),
        pseudo::region(),
        pseudo::account_id()
    );
    // The images of AWS lie in accounts of AWS that differ from region to region.
    let images = text!("arn:{}:ecr:{}:*:repository/*", pseudo::partition(), pseudo::region());
    let mut statements = Vec::from(pull_images(images));
    statements.extend([
        Statement::allow([
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:DescribeLogStreams",
            "logs:GetLogEvents",
            "logs:PutLogEvents",
        ])
        .sid("WriteLogs")
        .on(logs),
        Statement::allow(["cloudwatch:PutMetricData"])
            .sid("PutMetrics")
            .on_any_resource("the action has no resource type; the namespace limits it")
            .when_any("StringLike", "cloudwatch:namespace", ["/aws/sagemaker/*", "aws/sagemaker/*"]),
    ]);
    statements
}

/// Jobs in the VPC get network interfaces in the domain's subnets.
fn network_interfaces(
    subnets: &[Value<SubnetId>],
    security_group: &Value<SecurityGroupId>,
) -> Vec<Statement> {
    let ec2 = |resource: Value<String>| {
        text!("arn:{}:ec2:{}:{}:{}", pseudo::partition(), pseudo::region(), pseudo::account_id(), resource)
    };
    let interfaces = || ec2(text!("network-interface/*"));
    let subnets: Vec<Value<String>> = subnets.iter().map(|subnet| ec2(text!("subnet/{}", subnet))).collect();
    let mut create = Statement::allow(["ec2:CreateNetworkInterface"])
        .sid("MakeInterfaces")
        .on(interfaces())
        .on(ec2(text!("security-group/{}", security_group)));
    for subnet in &subnets {
        create = create.on(subnet);
    }
    vec![
        create,
        Statement::allow([
            "ec2:CreateNetworkInterfacePermission",
            "ec2:DeleteNetworkInterface",
            "ec2:DeleteNetworkInterfacePermission",
        ])
        .sid("ManageInterfaces")
        .on(interfaces())
        .when_any("ArnEquals", "ec2:Subnet", subnets),
        Statement::allow([
            "ec2:DescribeDhcpOptions",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
        ])
        .sid("ReadTheNetwork")
        .on_any_resource("describing has no resource type"),
    ]
}

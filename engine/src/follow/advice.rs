//! What to do about a failure: a fact or two, and the next command.

use super::classify::{Circumstances, denial, is_denial};
use super::failure::{Failure, FailureClass};
use super::operation::OperationKind;
use crate::aws::cloudformation::StackStatus;

/// Quotas that our stacks and their neighbours run into: words of the message or the type, the service's code, the
/// quota's code and its name, as the Service Quotas console lists them.
const QUOTAS: &[(&[&str], &str, &str, &str)] = &[
    (&["addresslimitexceeded", "aws::ec2::eip", "elastic ip"], "ec2", "L-0263D0A3", "EC2-VPC Elastic IPs"),
    (
        &["natgatewaylimitexceeded", "aws::ec2::natgateway"],
        "vpc",
        "L-FE5A380F",
        "NAT gateways per Availability Zone",
    ),
    (
        &["internetgatewaylimitexceeded", "aws::ec2::internetgateway"],
        "vpc",
        "L-A4707A72",
        "Internet gateways per Region",
    ),
    (
        &["vpcendpointlimitexceeded", "aws::ec2::vpcendpoint"],
        "vpc",
        "L-29B6F2EB",
        "Interface VPC endpoints per VPC",
    ),
    (&["routetablelimitexceeded", "aws::ec2::routetable"], "vpc", "L-589F43AA", "Route tables per VPC"),
    (
        &["securitygrouplimitexceeded", "aws::ec2::securitygroup"],
        "vpc",
        "L-E79EC296",
        "VPC security groups per Region",
    ),
    (&["vpclimitexceeded", "aws::ec2::vpc"], "vpc", "L-F678F1CE", "VPCs per Region"),
    (
        &["vcpulimitexceeded", "aws::ec2::instance"],
        "ec2",
        "L-1216C47A",
        "Running On-Demand Standard instances (vCPUs)",
    ),
    (&["toomanybuckets", "aws::s3::bucket"], "s3", "L-DC2B2D3D", "General purpose buckets"),
    (&["aws::iam::role"], "iam", "L-FE177D64", "Roles per account"),
    (&["aws::iam::managedpolicy"], "iam", "L-E95E4862", "Customer managed policies per account"),
    (
        &["aws::elasticloadbalancingv2::loadbalancer"],
        "elasticloadbalancing",
        "L-53DA6B97",
        "Application Load Balancers per Region",
    ),
    (
        &["aws::elasticloadbalancingv2::targetgroup"],
        "elasticloadbalancing",
        "L-B22855CB",
        "Target Groups per Region",
    ),
    (&["aws::autoscaling::autoscalinggroup"], "autoscaling", "L-CDE20ADC", "Auto Scaling groups per region"),
    (&["aws::lambda::function"], "lambda", "L-B99A9384", "Concurrent executions"),
    (&["aws::rds::dbinstance"], "rds", "L-7B6409FD", "DB instances"),
    (&["aws::kms::key"], "kms", "L-C2F1777E", "Customer Master Keys (CMKs)"),
    (&["aws::cloudformation::stack"], "cloudformation", "L-0485CB21", "Stack count"),
];

/// What to do, the command last.
pub(super) fn lines(failure: &Failure, circumstances: &Circumstances) -> Vec<String> {
    let mut lines = of_class(failure, circumstances);
    lines.push(next_command(failure, circumstances));
    lines
}

fn of_class(failure: &Failure, circumstances: &Circumstances) -> Vec<String> {
    let text = failure.reason.to_ascii_lowercase();
    match failure.class {
        FailureClass::Permission => permission(&failure.reason, &text),
        FailureClass::ServiceControlPolicy => {
            let action = denial(&failure.reason).action;
            let what = action.map_or_else(|| "this".to_owned(), |action| format!("`{action}`"));
            vec![format!(
                "a policy of the organisation forbids {what}: ask those who keep it for an exception, or use another \
                 account or region; nothing in this account helps"
            )]
        }
        FailureClass::Quota => quota(failure, &text),
        FailureClass::NameConflict => vec![
            "something of this name is there already, made by hand, by another stack, or left behind by a deleted one"
                .to_owned(),
            "give it another name, delete it, or take it in with `formwork deploy --import-existing`".to_owned(),
        ],
        FailureClass::Capacity if text.contains("insufficientfreeaddresses") => {
            vec!["the subnet has no free addresses: use a larger subnet, or release addresses in it".to_owned()]
        }
        FailureClass::Capacity => {
            vec!["AWS has no room for it now: use another instance type or zone, or try again later".to_owned()]
        }
        FailureClass::CustomResource => custom_resource(failure, &text, circumstances),
        FailureClass::Propagation => {
            vec!["a role that was just made is not known everywhere yet: the same again is safe and likely to work".to_owned()]
        }
        FailureClass::StackPolicy => vec![format!(
            "the stack policy protects this resource: see `aws cloudformation get-stack-policy --stack-name {}`",
            failure.stack
        )],
        FailureClass::ExportInUse => vec![
            "another stack imports the value: deploy both together, then it is kept until nobody needs it, or change \
             the importing stack first"
                .to_owned(),
        ],
        FailureClass::Validation => {
            vec!["a value is not what the service takes: correct it where the construct is made".to_owned()]
        }
        FailureClass::Timeout => {
            vec!["it did not become ready in time: the resource's own log or state says why".to_owned()]
        }
        FailureClass::Other if text.contains("rate exceeded") || text.contains("throttl") => {
            vec!["the service was asked too often: the same again is likely to work".to_owned()]
        }
        FailureClass::Other => Vec::new(),
    }
}

fn permission(reason: &str, text: &str) -> Vec<String> {
    let denial = denial(reason);
    let who = denial.principal.unwrap_or_else(|| "the role that CloudFormation acts with".to_owned());
    let resource = denial.resource.unwrap_or_else(|| "*".to_owned());
    if text.contains("permissions boundary") {
        let action = denial.action.unwrap_or_else(|| "the action".to_owned());
        return vec![format!(
            "the permissions boundary of {who} has to allow `{action}` as well: a policy alone does not help"
        )];
    }
    let Some(action) = denial.action else {
        return vec![format!("{who} lacks a permission; the event of the same time in CloudTrail names it")];
    };
    if text.contains("explicit deny") {
        return vec![format!(
            "a policy denies `{action}` to {who}: find the statement with Effect Deny and narrow it"
        )];
    }
    if action == "iam:PassRole" {
        return vec![
            format!("{who} may not hand this role to a service; allow it with"),
            format!(r#"{{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "{resource}"}}"#),
        ];
    }
    vec![
        format!("{who} lacks a permission; allow it with"),
        format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}"#),
    ]
}

fn quota(failure: &Failure, text: &str) -> Vec<String> {
    let resource_type = failure.resource_type.to_ascii_lowercase();
    // What the message says is more exact than the type: a NAT gateway may lack an address.
    let by_message = QUOTAS
        .iter()
        .find(|(words, ..)| words.iter().any(|word| !word.starts_with("aws::") && text.contains(word)));
    let found =
        by_message.or_else(|| QUOTAS.iter().find(|(words, ..)| words.contains(&resource_type.as_str())));
    match found {
        Some((_, service, code, name)) => vec![
            format!(
                "the quota `{name}` ({service} {code}) is used up: free some of it, or ask for more with"
            ),
            format!(
                "aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code} \
                 --desired-value NUMBER"
            ),
        ],
        None => vec![
            "a quota is used up: free some of it, or ask for more in the Service Quotas console".to_owned(),
        ],
    }
}

fn custom_resource(failure: &Failure, text: &str, circumstances: &Circumstances) -> Vec<String> {
    let mut lines = Vec::new();
    if is_denial(text) {
        let denial = denial(&failure.reason);
        if let Some(action) = denial.action {
            let resource = denial.resource.unwrap_or_else(|| "*".to_owned());
            lines.push("the handler's own role lacks a permission; allow it with".to_owned());
            lines.push(format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}"#));
        }
    }
    if text.contains("stabilize") || text.contains("timed out") || text.contains("did not receive") {
        lines.push(
            "the handler never answered: it crashed, was cut off by its timeout, or cannot reach CloudFormation's \
             answer URL"
                .to_owned(),
        );
    }
    lines.push(match &circumstances.handler {
        Some(function) => {
            format!("its log says more: aws logs tail /aws/lambda/{function} --since 2h")
        }
        None => "the log group of its function (/aws/lambda/NAME) says more".to_owned(),
    });
    lines
}

/// The command that gets on from here.
fn next_command(failure: &Failure, circumstances: &Circumstances) -> String {
    let stack = &failure.stack;
    let skip: String = circumstances.stuck.iter().map(|id| format!(" --skip {id}")).collect();
    match &circumstances.status {
        StackStatus::UpdateRollbackFailed => format!(
            "the rollback failed as well; once its cause is gone run `formwork rollback {stack}`, or leave resources as \
             they are with `formwork rollback {stack}{}`",
            if skip.is_empty() { " --force" } else { &skip }
        ),
        StackStatus::RollbackFailed | StackStatus::DeleteFailed => {
            let retain = circumstances.stuck.join(",");
            let retain = if retain.is_empty() { "LogicalId".to_owned() } else { retain };
            format!(
                "delete what is left with `formwork destroy {stack} --retain {retain}`, then deploy again"
            )
        }
        StackStatus::CreateFailed | StackStatus::UpdateFailed => {
            format!(
                "correct it and run `formwork deploy {stack}`, or take it back with `formwork rollback {stack}`"
            )
        }
        _ if circumstances.kind == OperationKind::Delete => format!("run `formwork destroy {stack}` again"),
        _ if failure.class == FailureClass::Propagation => format!("run `formwork deploy {stack}` again"),
        _ => format!("then run `formwork deploy {stack}`"),
    }
}

//! Quotas: whether there is room for what the app will make.
//!
//! Only what is still to be made counts: the resources of stacks that are not deployed. A quota that nothing of the app
//! touches is not asked for.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use super::super::Check;
use super::{Looked, Standing, resources, usage};
use crate::aws::cloudformation::StackStatus;
use crate::aws::{Error, ErrorKind, Patience};

const NAME: &str = "quota";

/// A quota, and how what it counts is counted.
struct Quota {
    /// The name in the console of Service Quotas.
    name: &'static str,
    /// The code of the service.
    service: &'static str,
    /// The code of the quota. Source: `aws service-quotas list-service-quotas`.
    code: &'static str,
    /// The type whose resources count.
    kind: &'static str,
    /// What is counted.
    used: usage::Used,
}

/// The quotas that a platform like ours meets first, because their defaults are small.
const QUOTAS: &[Quota] = &[
    Quota {
        name: "VPCs per Region",
        service: "vpc",
        code: "L-F678F1CE",
        kind: "AWS::EC2::VPC",
        used: usage::Used::Vpcs,
    },
    Quota {
        name: "EC2-VPC Elastic IPs",
        service: "ec2",
        code: "L-0263D0A3",
        kind: "AWS::EC2::EIP",
        used: usage::Used::Addresses,
    },
    Quota {
        name: "NAT gateways per Availability Zone",
        service: "vpc",
        code: "L-FE5A380F",
        kind: "AWS::EC2::NatGateway",
        used: usage::Used::NatGatewaysOfAZone,
    },
    Quota {
        name: "Total domains",
        service: "sagemaker",
        code: "L-B683BCB0",
        kind: "AWS::SageMaker::Domain",
        used: usage::Used::Domains,
    },
    Quota {
        name: "Maximum number of running Studio apps allowed per account",
        service: "sagemaker",
        code: "L-4E39DDC4",
        kind: "AWS::SageMaker::App",
        used: usage::Used::Apps,
    },
];

/// The executions that every account keeps for functions that reserve none. Source: AWS Lambda Developer Guide,
/// "Configuring reserved concurrency".
const UNRESERVED: u64 = 100;

pub(super) async fn checks(looked: &Looked, standing: &Standing) -> Vec<Check> {
    let mut checks = vec![stacks(looked, standing).await];
    let counted = QUOTAS.iter().filter_map(|quota| {
        let needed = to_make(looked, standing).filter(|(kind, _)| *kind == quota.kind).count() as u64;
        (needed > 0).then_some((quota, needed))
    });
    checks.extend(join_all(counted.map(|(quota, needed)| room(looked, quota, needed))).await);
    checks.extend(concurrency(looked, standing).await);
    checks
}

/// The resources of stacks that are not there yet. How a stack stands that could not be asked for is not known, and then
/// it is taken for deployed: its resources would be counted twice otherwise.
fn to_make<'l>(looked: &'l Looked, standing: &'l Standing) -> impl Iterator<Item = (&'l str, &'l Value)> {
    let missing = looked.stacks.iter().zip(standing).filter(|(_, stands)| match stands {
        Ok(None) => true,
        Ok(Some(stack)) => stack.status == StackStatus::ReviewInProgress,
        Err(_) => false,
    });
    missing.flat_map(|(stack, _)| resources(&stack.template)).map(|(_, kind, resource)| (kind, resource))
}

async fn room(looked: &Looked, quota: &Quota, needed: u64) -> Check {
    let (limit, used) =
        join(limit(looked, quota.service, quota.code), usage::count(looked, quota.used)).await;
    match (limit, used) {
        (Err(error), _) | (_, Err(error)) => Check::unknown(NAME, quota.name, &error),
        (Ok(limit), Ok(used)) => {
            // NAT gateways are spread over the zones, and their quota is one for each zone.
            let needed = if quota.used == usage::Used::NatGatewaysOfAZone { 1 } else { needed };
            judge(quota.name, used, limit, needed, quota.service, quota.code)
        }
    }
}

/// Whether what is needed fits beside what is used.
fn judge(name: &str, used: u64, limit: u64, needed: u64, service: &str, code: &str) -> Check {
    let detail = format!("{used} of {limit} used, {needed} more needed");
    let more = format!(
        "ask for more: `aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code} --desired-value {}`",
        (used + needed).max(limit + 1)
    );
    match (used + needed).cmp(&limit) {
        std::cmp::Ordering::Greater => Check::failed(NAME, name, detail).with_hint(more),
        std::cmp::Ordering::Equal => {
            Check::warning(NAME, name, format!("{detail}: nothing is left then")).with_hint(more)
        }
        std::cmp::Ordering::Less => Check::ok(NAME, name, detail),
    }
}

/// The value of a quota: the account's own where there is one, else the default.
async fn limit(looked: &Looked, service: &str, code: &str) -> Result<u64, Error> {
    let body = json!({ "ServiceCode": service, "QuotaCode": code });
    let own = looked.call().json("servicequotas", "ServiceQuotasV20190624.GetServiceQuota", &body).await;
    let answer = match own {
        Err(error)
            if error.code.as_deref() == Some("NoSuchResourceException")
                || error.kind == ErrorKind::NotFound =>
        {
            let target = "ServiceQuotasV20190624.GetAWSDefaultServiceQuota";
            looked.call().json("servicequotas", target, &body).await?
        }
        other => other?,
    };
    let value = answer["Quota"]["Value"].as_f64().filter(|value| *value >= 0.0);
    // A quota is a whole number, whatever the type of the field.
    value
        .map(|value| value as u64)
        .ok_or_else(|| Error::new("GetServiceQuota", ErrorKind::Protocol, "the answer has no value"))
}

/// How many more stacks the account takes in the region.
async fn stacks(looked: &Looked, standing: &Standing) -> Check {
    const STACKS: &str = "stacks";
    let new = standing.iter().filter(|stands| matches!(stands, Ok(None))).count() as u64;
    let cloudformation = looked.session.cloudformation().with_patience(Patience::SHORT);
    let limits = looked.call();
    let (limits, listed) = join(
        limits.query("cloudformation", "DescribeAccountLimits", "2010-05-15", &[]),
        cloudformation.list_stacks(&[]),
    )
    .await;
    let (limits, listed) = match (limits, listed) {
        (Err(error), _) | (_, Err(error)) => return Check::unknown(NAME, STACKS, &error),
        (Ok(limits), Ok(listed)) => (limits, listed),
    };
    let list = limits.find("AccountLimits").map(|list| list.children.as_slice()).unwrap_or_default();
    let limit = list
        .iter()
        .find(|limit| limit.text_of("Name") == Some("StackLimit"))
        .and_then(|limit| limit.text_of("Value")?.trim().parse::<u64>().ok());
    let Some(limit) = limit else {
        let error = Error::new("DescribeAccountLimits", ErrorKind::Protocol, "the answer has no StackLimit");
        return Check::unknown(NAME, STACKS, &error);
    };
    let used = listed.iter().filter(|stack| stack.status != StackStatus::DeleteComplete).count() as u64;
    judge(STACKS, used, limit, new, "cloudformation", "L-0485CB21")
}

/// Whether the executions that functions reserve leave those that the account has to keep.
async fn concurrency(looked: &Looked, standing: &Standing) -> Option<Check> {
    const EXECUTIONS: &str = "Concurrent executions";
    let reserved: u64 = to_make(looked, standing)
        .filter(|(kind, _)| *kind == "AWS::Lambda::Function")
        .filter_map(|(_, resource)| resource["Properties"]["ReservedConcurrentExecutions"].as_u64())
        .sum();
    if reserved == 0 {
        return None;
    }
    Some(match limit(looked, "lambda", "L-B99A9384").await {
        Err(error) => Check::unknown(NAME, EXECUTIONS, &error),
        Ok(limit) => {
            let detail = format!(
                "the functions reserve {reserved} of {limit}, and {UNRESERVED} have to be left; what other functions reserve is not counted"
            );
            if reserved + UNRESERVED > limit {
                let hint = format!(
                    "ask for more: `aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value {}`",
                    (reserved + UNRESERVED).max(1_000)
                );
                Check::failed(NAME, EXECUTIONS, detail).with_hint(hint)
            } else {
                Check::ok(NAME, EXECUTIONS, detail)
            }
        }
    })
}

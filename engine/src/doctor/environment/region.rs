//! What the region is: enabled for the account, and offering every type of the app.

use std::collections::{BTreeMap, BTreeSet};

use formwork_schema::Availability;
use futures_util::StreamExt;

use super::super::Check;
use super::{Looked, resources};
use crate::aws::{Error, ErrorKind};

/// How many types are asked for at once.
const AT_ONCE: usize = 4;

pub(super) async fn checks(looked: &Looked) -> Vec<Check> {
    let mut checks = vec![enabled(looked).await];
    checks.extend(types(looked).await);
    checks
}

/// Whether the account has the region.
async fn enabled(looked: &Looked) -> Check {
    const NAME: &str = "region";
    let region = looked.session.region();
    let place = looked.place();
    let names =
        [("AllRegions".to_owned(), "true".to_owned()), ("RegionName.1".to_owned(), region.to_owned())];
    let answer = looked.call().query("ec2", "DescribeRegions", "2016-11-15", &names).await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if error.code.as_deref() == Some("InvalidParameterValue") => {
            return Check::failed(NAME, place, format!("there is no region {region}"))
                .with_hint("name a region as AWS spells it, with --region");
        }
        Err(error) => return Check::unknown(NAME, place, &error),
    };
    let status = answer.members("regionInfo").next().and_then(|item| item.text_of("optInStatus"));
    match status {
        Some("opt-in-not-required") => Check::ok(NAME, place, "every account has it"),
        Some("opted-in") => Check::ok(NAME, place, "enabled for the account"),
        Some("not-opted-in") => Check::failed(NAME, place, "not enabled for the account").with_hint(format!(
            "enable it with `aws account enable-region --region-name {region}`, which takes minutes to hours, or name another with --region"
        )),
        other => {
            let error = Error::new(
                "DescribeRegions",
                ErrorKind::Protocol,
                format!("the answer says {:?}", other.unwrap_or_default()),
            );
            Check::unknown(NAME, place, &error)
        }
    }
}

/// Whether the region has every type of the app. The facts of this program say yes; where they say no or nothing, AWS is
/// asked, because types come to regions all the time.
async fn types(looked: &Looked) -> Vec<Check> {
    const NAME: &str = "resource-types";
    let region = looked.session.region();
    let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for stack in &looked.stacks {
        for (_, kind, _) in resources(&stack.template) {
            if !kind.starts_with("Custom::") {
                users.entry(kind).or_default().insert(&stack.located.name);
            }
        }
    }
    if users.is_empty() {
        return Vec::new();
    }
    let known = |kind: &str| {
        formwork_schema::resource_type(kind).is_some_and(|it| it.available_in(region) == Availability::Yes)
    };
    let doubtful: Vec<&str> = users.keys().copied().filter(|kind| !known(kind)).collect();
    let asked: Vec<(&str, Result<(), Error>)> = futures_util::stream::iter(doubtful)
        .map(|kind| async move { (kind, describe(looked, kind).await) })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut checks = Vec::new();
    for (kind, answer) in asked {
        let stacks = users[kind].iter().copied().collect::<Vec<_>>().join(", ");
        match answer {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::NotFound => {
                let check = Check::failed(NAME, kind, format!("not offered in {region}; {stacks} uses it"));
                checks.push(check.with_hint(way_out(kind)));
            }
            Err(error) => {
                let mut check = Check::unknown(NAME, kind, &error);
                check.detail =
                    format!("not known to be offered in {region}; {stacks} uses it; {}", check.detail);
                checks.push(check);
            }
        }
    }
    if checks.is_empty() {
        let number = users.len();
        checks.push(Check::ok(NAME, looked.place(), format!("all {number} types of the app are offered")));
    }
    checks
}

async fn describe(looked: &Looked, kind: &str) -> Result<(), Error> {
    let names = [("Type".to_owned(), "RESOURCE".to_owned()), ("TypeName".to_owned(), kind.to_owned())];
    looked.call().query("cloudformation", "DescribeType", "2010-05-15", &names).await.map(|_| ())
}

fn way_out(kind: &str) -> String {
    let elsewhere = "deploy to another region with --region";
    let known =
        formwork_schema::resource_type(kind).map(formwork_schema::ResourceType::regions).unwrap_or_default();
    let regions = match known.len() {
        0 => String::new(),
        1..=4 => format!(" ({})", known.join(", ")),
        _ => format!(" ({} and {} more)", known[..3].join(", "), known.len() - 3),
    };
    match kind {
        "AWS::SageMaker::MlflowApp" | "AWS::SageMaker::MlflowTrackingServer" => {
            format!("{elsewhere}{regions}, or let a function make it with `-c provisioner=custom`")
        }
        _ => format!("{elsewhere}{regions}"),
    }
}

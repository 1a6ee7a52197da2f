//! Versions that AWS no longer keeps up: runtimes of functions, and engines of databases.
//!
//! Both are judged by today's date. A synthesis judges runtimes by the date of its facts instead, so that its answer is
//! the same tomorrow.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::super::Check;
use super::{Looked, resources};
use crate::aws::xml::Element;

/// Runtimes of the functions of templates, by stack.
pub fn runtimes<'t>(templates: impl IntoIterator<Item = (&'t str, &'t Value)>, now: Timestamp) -> Vec<Check> {
    const NAME: &str = "runtime";
    let today = now.strftime("%Y-%m-%d").to_string();
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (stack, template) in templates {
        for (id, kind, resource) in resources(template) {
            if !matches!(kind, "AWS::Lambda::Function" | "AWS::Serverless::Function") {
                continue;
            }
            if let Some(runtime) = resource["Properties"]["Runtime"].as_str() {
                users.entry(runtime.to_owned()).or_default().push(format!("{stack}/{id}"));
            }
        }
    }
    let judged = users.into_iter().map(|(name, users)| {
        let Some(runtime) = formwork_schema::runtime(&name) else {
            return Check::ok(NAME, name, "no end is announced");
        };
        let passed = |day: &Option<String>| day.clone().filter(|day| *day <= today);
        let users = users.join(", ");
        let check = if let Some(day) = passed(&runtime.update_blocked) {
            Check::failed(NAME, name, format!("functions cannot be changed with it since {day}: {users}"))
        } else if let Some(day) = passed(&runtime.create_blocked) {
            Check::failed(NAME, name, format!("functions cannot be made with it since {day}: {users}"))
        } else if let Some(day) = passed(&runtime.deprecated) {
            Check::warning(NAME, name, format!("no longer kept up since {day}: {users}"))
        } else {
            let detail = match &runtime.deprecated {
                Some(day) => format!("kept up until {day}"),
                None => "no end is announced".to_owned(),
            };
            return Check::ok(NAME, name, detail);
        };
        match &runtime.successor {
            Some(successor) => check.with_hint(format!("move to {successor}")),
            None => check,
        }
    });
    judged.collect()
}

/// Engines of databases, as RDS says of them how long they have standard support.
pub(super) async fn engines(looked: &Looked, now: Timestamp) -> Vec<Check> {
    const NAME: &str = "database-engine";
    let mut users: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for stack in &looked.stacks {
        for (id, kind, resource) in resources(&stack.template) {
            if !matches!(kind, "AWS::RDS::DBInstance" | "AWS::RDS::DBCluster") {
                continue;
            }
            let property = |name: &str| resource["Properties"][name].as_str().map(str::to_owned);
            if let (Some(engine), Some(version)) = (property("Engine"), property("EngineVersion")) {
                users.entry((engine, version)).or_default().push(format!("{}/{id}", stack.located.name));
            }
        }
    }
    let mut checks = Vec::new();
    for ((engine, version), users) in users {
        let subject = format!("{engine} {version}");
        let names = [("Engine".to_owned(), engine.clone())];
        let answer = looked.call().query("rds", "DescribeDBMajorEngineVersions", "2014-10-31", &names).await;
        checks.push(match answer {
            Err(error) => Check::unknown(NAME, subject, &error),
            Ok(answer) => judge(subject, &version, &users.join(", "), &answer, now),
        });
    }
    checks
}

fn judge(subject: String, version: &str, users: &str, answer: &Element, now: Timestamp) -> Check {
    const NAME: &str = "database-engine";
    const LIST: &str = "DBMajorEngineVersions";
    let list = answer.find(LIST).map(|list| list.children.as_slice()).unwrap_or_default();
    let is_major = |major: &str| version == major || version.starts_with(&format!("{major}."));
    let found = list.iter().find(|it| it.text_of("MajorEngineVersion").is_some_and(is_major));
    let Some(found) = found else {
        return Check::failed(NAME, subject, format!("RDS does not offer it: {users}"))
            .with_hint("`aws rds describe-db-engine-versions` lists what it offers");
    };
    let lifecycles = found.child("SupportedEngineLifecycles").map(|list| list.children.as_slice());
    let standard = lifecycles
        .unwrap_or_default()
        .iter()
        .find(|it| it.text_of("LifecycleSupportName").is_some_and(|name| name.contains("standard-support")));
    let end = standard
        .and_then(|it| it.text_of("LifecycleSupportEndDate"))
        .and_then(|end| end.trim().parse::<Timestamp>().ok());
    match end {
        None => Check::ok(NAME, subject, "offered; RDS says no end of its support"),
        Some(end) if end > now => {
            Check::ok(NAME, subject, format!("standard support until {}", end.strftime("%Y-%m-%d")))
        }
        Some(end) => {
            let day = end.strftime("%Y-%m-%d");
            Check::warning(
                NAME,
                subject,
                format!("standard support ended on {day}, extended support costs: {users}"),
            )
            .with_hint("move to a later major version; take a snapshot before")
        }
    }
}

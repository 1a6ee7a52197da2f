//! Whether roles may do what their templates let them: call MLflow, and assume the role that may.
//!
//! A policy in a template is not all: a permissions boundary, an organisation's policy, or somebody's hand can take the
//! right away, and the client sees nothing but 403. IAM is asked to simulate the very actions on the very ARN. Which of
//! them a client needs differs by mode: a tracking server has an action for each call, an app has one for all.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde_json::Value;

use super::super::{Check, Outcome};
use super::template::Deployed;
use crate::aws::xml::Element;
use crate::aws::{Error, ErrorKind, Session};
use crate::components::{Found, Survey};

const MLFLOW: &str = "mlflow-permissions";
const CHAIN: &str = "role-chain";
const IAM: &str = "2010-05-08";
/// How many actions are asked for in one call, so that its form stays small.
const ACTIONS: usize = 50;

/// The least that a client of a tracking server needs.
const SERVER: [&str; 3] = [
    "sagemaker-mlflow:GetExperimentByName",
    "sagemaker-mlflow:SearchExperiments",
    "sagemaker-mlflow:SearchRuns",
];
/// The one action that is the whole API of an app.
const APP: [&str; 1] = ["sagemaker:CallMlflowAppApi"];

/// What a policy of a template lets a role do to one thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Grant {
    role: String,
    resource: String,
}

/// The checks of the roles that the policies of a stack let call MLflow, or assume other roles.
pub(super) async fn checks(survey: &Survey, found: &Found) -> Vec<Check> {
    let name = &found.located.name;
    let has_policy = ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role"]
        .iter()
        .any(|kind| found.of_type(kind).next().is_some());
    if !has_policy {
        return Vec::new();
    }
    let near = survey.exports(&found.located).into_iter();
    let near = near.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let deployed = match Deployed::of(found, near).await {
        Err(error) => return vec![Check::unknown(MLFLOW, name, &error)],
        Ok(None) => return Vec::new(),
        Ok(Some(deployed)) => deployed,
    };
    let mut grants = grants(&deployed);
    if !grants.unread.is_empty() {
        // Stacks that were not asked for export too.
        let Ok(exports) = found.located.session.cloudformation().exports().await else {
            return vec![unresolved(name, &grants.unread)];
        };
        let exports = exports.into_iter().map(|(name, export)| (name, export.value));
        grants = self::grants(&deployed.with_exports(exports));
    }
    let session = &found.located.session;
    let mut checks: Vec<Check> =
        if grants.unread.is_empty() { Vec::new() } else { vec![unresolved(name, &grants.unread)] };
    checks
        .extend(join_all(grants.mlflow.iter().map(|(grant, actions)| mlflow(session, grant, actions))).await);
    checks.extend(join_all(grants.roles.iter().map(|grant| chain(session, grant))).await);
    checks
}

fn unresolved(stack: &str, unread: &BTreeSet<String>) -> Check {
    let names: Vec<&str> = unread.iter().map(String::as_str).collect();
    let detail = format!("the stack does not tell whom or what {} is about", names.join(", "));
    Check::new(MLFLOW, stack, Outcome::Unknown, detail)
}

/// What the policies of a template let roles do.
#[derive(Debug, Default)]
struct Grants {
    mlflow: BTreeMap<Grant, BTreeSet<String>>,
    roles: BTreeSet<Grant>,
    /// The logical ids of policies whose expressions could not be followed.
    unread: BTreeSet<String>,
}

fn grants(deployed: &Deployed<'_>) -> Grants {
    let mut grants = Grants::default();
    for kind in ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"] {
        for (id, properties) in deployed.of_type(kind) {
            let roles = properties["Roles"].as_array().into_iter().flatten();
            let roles: Vec<Option<String>> = roles.map(|role| deployed.text(role)).collect();
            grants.add(deployed, id, &roles, &properties["PolicyDocument"]);
        }
    }
    for (id, properties) in deployed.of_type("AWS::IAM::Role") {
        let own = deployed.text(&serde_json::json!({ "Ref": id }));
        for policy in properties["Policies"].as_array().into_iter().flatten() {
            grants.add(deployed, id, std::slice::from_ref(&own), &policy["PolicyDocument"]);
        }
    }
    grants
}

impl Grants {
    fn add(&mut self, deployed: &Deployed<'_>, id: &str, roles: &[Option<String>], document: &Value) {
        for statement in listed(&document["Statement"]) {
            let actions: BTreeSet<&str> = listed(&statement["Action"]).filter_map(Value::as_str).collect();
            let of_mlflow = actions.iter().any(|action| is_of_mlflow(action));
            let of_roles = actions.contains("sts:AssumeRole");
            if statement["Effect"] != "Allow" || !(of_mlflow || of_roles) {
                continue;
            }
            for resource in listed(&statement["Resource"]) {
                let resource = deployed.text(resource);
                // What stands for any resource says nothing about the one that matters.
                if resource.as_deref() == Some("*") {
                    continue;
                }
                for role in roles {
                    let (Some(role), Some(resource)) = (role, &resource) else {
                        self.unread.insert(id.to_owned());
                        continue;
                    };
                    let grant = Grant { role: role.clone(), resource: resource.clone() };
                    if of_mlflow {
                        let needed = needed(resource, &actions);
                        if !needed.is_empty() {
                            self.mlflow.entry(grant.clone()).or_default().extend(needed);
                        }
                    }
                    if of_roles && resource.contains(":role/") && !resource.contains('*') {
                        self.roles.insert(grant);
                    }
                }
            }
        }
    }
}

fn is_of_mlflow(action: &str) -> bool {
    action.starts_with("sagemaker-mlflow:") || action == APP[0] || action == "sagemaker:*"
}

/// The actions that a client needs on a server or an app: the least of its mode, and what else the policy names for it.
/// IAM simulates no wildcards.
fn needed(arn: &str, actions: &BTreeSet<&str>) -> BTreeSet<String> {
    let (least, prefix, word): (&[&str], _, _) = if arn.contains(":mlflow-tracking-server/") {
        (&SERVER, "sagemaker-mlflow:", "MlflowTrackingServer")
    } else if arn.contains(":mlflow-app/") {
        // The actions of a server mean nothing for an app.
        (&APP, "sagemaker:CallMlflowApp", "MlflowApp")
    } else {
        return BTreeSet::new();
    };
    let more = actions
        .iter()
        .filter(|action| !action.contains('*') && (action.starts_with(prefix) || action.ends_with(word)));
    least.iter().chain(more).map(|action| (*action).to_owned()).collect()
}

/// An item, or a list of them.
fn listed(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Null => Box::new(std::iter::empty()),
        one => Box::new(std::iter::once(one)),
    }
}

async fn mlflow(session: &Session, grant: &Grant, actions: &BTreeSet<String>) -> Check {
    let subject = format!("{} on {}", grant.role, grant.resource);
    let role = match role(session, &grant.role).await {
        Ok(role) => role,
        Err(error) => return unread(MLFLOW, &subject, &error),
    };
    let mode = if grant.resource.contains(":mlflow-app/") { "serverless" } else { "tracking" };
    match simulate(session, &role.arn, actions, &grant.resource).await {
        Err(error) => unread(MLFLOW, &subject, &error),
        Ok(denied) if denied.is_empty() => {
            Check::ok(MLFLOW, subject, format!("{} actions of mode {mode} are allowed", actions.len()))
        }
        Ok(denied) => refused(MLFLOW, subject, &denied, actions.len(), "clients get 403"),
    }
}

/// Whether one role may assume another: by its own rights, and by whom the other trusts.
async fn chain(session: &Session, grant: &Grant) -> Check {
    let name = grant.resource.rsplit('/').next().unwrap_or_default();
    let subject = format!("{} to {name}", grant.role);
    let (from, to) = match (role(session, &grant.role).await, role(session, name).await) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(error), _) | (_, Err(error)) => return unread(CHAIN, &subject, &error),
    };
    let actions = BTreeSet::from(["sts:AssumeRole".to_owned()]);
    match simulate(session, &from.arn, &actions, &to.arn).await {
        Err(error) => return unread(CHAIN, &subject, &error),
        Ok(denied) if !denied.is_empty() => {
            return refused(CHAIN, subject, &denied, 1, "the proxy cannot act as the role that calls MLflow");
        }
        Ok(_) => {}
    }
    let again = "deploy the stack again, so that the trust policy names the role that there is";
    match trusts(&to.trust, &from.arn, session.account()) {
        Trust::Yes => Check::ok(CHAIN, subject, "it may assume the role, and is trusted"),
        Trust::Gone(id) => {
            let detail = format!("the trust policy of {name} names {id}, a role that was deleted");
            Check::failed(CHAIN, subject, detail).with_hint(again)
        }
        Trust::No => {
            let detail = format!("the trust policy of {name} does not name {}", from.arn);
            Check::failed(CHAIN, subject, detail)
                .with_hint(format!("`formwork drift` shows what was changed; {again}"))
        }
    }
}

fn unread(name: &str, subject: &str, error: &Error) -> Check {
    if error.kind == ErrorKind::NotFound {
        return Check::failed(name, subject, "the role is gone")
            .with_hint("`formwork drift` shows it, --revert makes it again");
    }
    Check::unknown(name, subject, error)
}

fn refused(name: &str, subject: String, denied: &[Denied], asked: usize, effect: &str) -> Check {
    let shown: Vec<&str> = denied.iter().take(3).map(|denied| denied.action.as_str()).collect();
    let more = if denied.len() > shown.len() { " and others" } else { "" };
    let detail =
        format!("{} of {asked} actions are denied, {effect}: {}{more}", denied.len(), shown.join(", "));
    let hint = if denied.iter().any(|it| it.by_organisation) {
        "a policy of the organisation denies it: whoever keeps the organisation's account has to allow it"
    } else if denied.iter().any(|it| it.by_boundary) {
        "the permissions boundary of the role denies it: it has to allow these actions as well (-c permissionsBoundary)"
    } else if denied.iter().any(|it| it.is_explicit) {
        "a statement denies it: `aws iam list-attached-role-policies` and `aws iam list-role-policies` show which"
    } else {
        "nothing allows it: `formwork drift` shows policies that were changed, `formwork deploy` brings them back"
    };
    Check::failed(name, subject, detail).with_hint(hint)
}

/// An action that is denied, and by what.
#[derive(Debug)]
struct Denied {
    action: String,
    is_explicit: bool,
    by_organisation: bool,
    by_boundary: bool,
}

async fn simulate(
    session: &Session,
    role: &str,
    actions: &BTreeSet<String>,
    resource: &str,
) -> Result<Vec<Denied>, Error> {
    const ACTION: &str = "SimulatePrincipalPolicy";
    let all: Vec<&String> = actions.iter().collect();
    let mut denied = Vec::new();
    for actions in all.chunks(ACTIONS) {
        let mut asked = vec![
            ("PolicySourceArn".to_owned(), role.to_owned()),
            ("ResourceArns.member.1".to_owned(), resource.to_owned()),
        ];
        let numbered = actions.iter().enumerate();
        asked.extend(
            numbered.map(|(index, action)| (format!("ActionNames.member.{}", index + 1), (*action).clone())),
        );
        let mut marker: Option<String> = None;
        loop {
            let mut asked = asked.clone();
            asked.extend(marker.clone().map(|marker| ("Marker".to_owned(), marker)));
            let answer = session.call().query("iam", ACTION, IAM, &asked).await?;
            let result = answer.find("SimulatePrincipalPolicyResult").unwrap_or(&answer);
            denied.extend(result.members("EvaluationResults").filter_map(decision));
            let next = result.text_of("Marker").filter(|text| !text.is_empty()).map(str::to_owned);
            if result.text_of("IsTruncated") != Some("true") || next.is_none() || next == marker {
                break;
            }
            marker = next;
        }
    }
    Ok(denied)
}

fn decision(result: &Element) -> Option<Denied> {
    let decision = result.text_of("EvalDecision").unwrap_or_default();
    let says_no = |detail: &str, field: &str| {
        result.child(detail).and_then(|detail| detail.text_of(field)) == Some("false")
    };
    (decision != "allowed").then(|| Denied {
        action: result.text_of("EvalActionName").unwrap_or_default().to_owned(),
        is_explicit: decision == "explicitDeny",
        by_organisation: says_no("OrganizationsDecisionDetail", "AllowedByOrganizations"),
        by_boundary: says_no("PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary"),
    })
}

/// A role as IAM knows it.
struct Role {
    arn: String,
    trust: Value,
}

async fn role(session: &Session, name: &str) -> Result<Role, Error> {
    const ACTION: &str = "GetRole";
    let name = name.rsplit('/').next().unwrap_or(name);
    let asked = [("RoleName".to_owned(), name.to_owned())];
    let answer = session.call().query("iam", ACTION, IAM, &asked).await?;
    let nothing = || Error::new(ACTION, ErrorKind::Protocol, "the answer has no role");
    let role = answer.find("Role").ok_or_else(nothing)?;
    let document = decoded(role.text_of("AssumeRolePolicyDocument").unwrap_or_default());
    Ok(Role {
        arn: role.text_of("Arn").unwrap_or_default().to_owned(),
        trust: serde_json::from_str(&document).unwrap_or_default(),
    })
}

/// IAM gives documents in percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a trust policy names somebody.
#[derive(Debug, PartialEq, Eq)]
enum Trust {
    Yes,
    /// It names the id of a role that was deleted: IAM puts it in the place of an ARN that names nobody any more.
    Gone(String),
    No,
}

fn trusts(document: &Value, arn: &str, account: &str) -> Trust {
    let mut gone = None;
    for statement in listed(&document["Statement"]) {
        let may_assume = listed(&statement["Action"])
            .filter_map(Value::as_str)
            .any(|action| ["sts:AssumeRole", "sts:*", "*"].contains(&action));
        if statement["Effect"] != "Allow" || !may_assume {
            continue;
        }
        let principal = &statement["Principal"];
        let named = if principal.is_string() { principal } else { &principal["AWS"] };
        for name in listed(named).filter_map(Value::as_str) {
            let whole_account = name == account || name.ends_with(&format!(":iam::{account}:root"));
            if name == "*" || name == arn || whole_account {
                return Trust::Yes;
            }
            if name.starts_with("AROA") {
                gone = Some(name.to_owned());
            }
        }
    }
    gone.map_or(Trust::No, Trust::Gone)
}

#[cfg(test)]
mod tests;

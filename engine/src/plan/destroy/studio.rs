//! What somebody made in a SageMaker Studio domain: SageMaker deletes no domain that has an app, a space or a profile.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::environment::Target;
use super::super::model::RemovalKind;
use super::checks::{Found, Obstacle, removal};
use crate::aws::cloudformation::{Stack, StackResource};
use crate::aws::{Error, Session};

const HINT: &str = "delete the apps and spaces, or let them be deleted with --remove studio";

/// Apps, spaces and user profiles that are in the way.
pub(super) async fn obstacles(
    target: &Target,
    stack: &Stack,
    resource: &StackResource,
    domain: &str,
    resources: &[&StackResource],
) -> Result<Found, Error> {
    let mut found = Found::default();
    let session = &target.session;
    for name in names(session, RemovalKind::StudioApp, domain).await? {
        found.obstacles.push(Obstacle {
            words: format!("stack {}: Studio app {name} runs in domain {domain}", stack.name),
            removal: Some(removal(RemovalKind::StudioApp, &resource.logical_id, domain, Some(name))),
            hint: HINT,
        });
    }
    let ours: BTreeSet<&str> = resources.iter().filter_map(|it| it.physical_id.as_deref()).collect();
    let is_ours = |name: &str| ours.iter().any(|id| id.split(['|', '/']).any(|part| part == name));
    for name in names(session, RemovalKind::StudioSpace, domain).await? {
        if is_ours(&name) {
            continue;
        }
        found.obstacles.push(Obstacle {
            words: format!("stack {}: Studio space {name} is in domain {domain}", stack.name),
            removal: Some(removal(RemovalKind::StudioSpace, &resource.logical_id, domain, Some(name))),
            hint: HINT,
        });
    }
    for profile in list(session, "SageMaker.ListUserProfiles", "UserProfiles", domain).await? {
        let name = text(&profile, "UserProfileName");
        if text(&profile, "Status") != "Deleting" && !is_ours(&name) {
            found.obstacles.push(Obstacle {
                removal: None,
                words: format!(
                    "stack {}: user profile {name} of domain {domain} was made outside of the stack",
                    stack.name
                ),
                hint: "delete the user profile in the SageMaker console",
            });
        }
    }
    Ok(found)
}

/// The names of a domain's apps, as `space:OWNER/TYPE/NAME` or `user:OWNER/TYPE/NAME`, or of its spaces.
pub(crate) async fn names(session: &Session, kind: RemovalKind, domain: &str) -> Result<Vec<String>, Error> {
    if kind == RemovalKind::StudioSpace {
        let spaces = list(session, "SageMaker.ListSpaces", "Spaces", domain).await?;
        return Ok(spaces.iter().map(|space| text(space, "SpaceName")).collect());
    }
    let apps = list(session, "SageMaker.ListApps", "Apps", domain).await?;
    // Apps that are gone are listed for a day.
    let living = apps.iter().filter(|app| !matches!(text(app, "Status").as_str(), "Deleted" | "Failed"));
    Ok(living.map(app_name).collect())
}

fn app_name(app: &Value) -> String {
    let space = text(app, "SpaceName");
    let owner = if space.is_empty() {
        format!("user:{}", text(app, "UserProfileName"))
    } else {
        format!("space:{space}")
    };
    format!("{owner}/{}/{}", text(app, "AppType"), text(app, "AppName"))
}

fn text(item: &Value, name: &str) -> String {
    item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// All pages of one of SageMaker's lists of a domain.
async fn list(
    session: &Session,
    operation: &'static str,
    member: &str,
    domain: &str,
) -> Result<Vec<Value>, Error> {
    let mut items = Vec::new();
    let mut page: Option<String> = None;
    loop {
        let mut body = json!({"DomainIdEquals": domain, "MaxResults": 100});
        if let Some(page) = &page {
            body["NextToken"] = page.as_str().into();
        }
        let answer = session.call().json("sagemaker", operation, &body).await?;
        items.extend(answer.get(member).and_then(Value::as_array).cloned().unwrap_or_default());
        let next = answer.get("NextToken").and_then(Value::as_str).map(str::to_owned);
        if next.is_none() || next == page {
            return Ok(items);
        }
        page = next;
    }
}

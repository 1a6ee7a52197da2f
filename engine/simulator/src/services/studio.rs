//! What people make in SageMaker Studio: apps, spaces and profiles that no stack knows, and that keep a domain alive.

use serde_json::{Value, json};

use super::Services;
use super::others::{missing, text};
use crate::api::ApiError;
use crate::cloudformation::Context;

/// What people made, in whichever domain there is.
#[derive(Clone, Debug, Default)]
pub struct Studio {
    /// Apps as `space:OWNER/TYPE/NAME` or `user:OWNER/TYPE/NAME`.
    pub apps: Vec<String>,
    /// Spaces.
    pub spaces: Vec<String>,
    /// User profiles.
    pub profiles: Vec<String>,
}

impl Studio {
    /// Why a domain cannot be deleted, if it cannot.
    pub(super) fn keeps_domain(&self, domain: &str) -> Result<(), String> {
        for (what, some) in [("App", &self.apps), ("Space", &self.spaces), ("UserProfile", &self.profiles)] {
            if !some.is_empty() {
                return Err(format!(
                    "Unable to delete Domain [{domain}] because {what}(s) are associated with it."
                ));
            }
        }
        Ok(())
    }
}

impl Services {
    /// SageMaker's operations on what is in a domain; nothing for other operations.
    pub(super) fn studio(
        &mut self,
        context: &Context,
        operation: &str,
        input: &Value,
    ) -> Option<Result<Value, ApiError>> {
        Some(match operation {
            "ListApps" => self.in_domain(context, input, "Apps", |studio| {
                studio.apps.iter().filter_map(|app| described(app)).collect()
            }),
            "ListSpaces" => self.in_domain(context, input, "Spaces", |studio| {
                studio.spaces.iter().map(|name| json!({ "SpaceName": name, "Status": "InService" })).collect()
            }),
            "ListUserProfiles" => self.in_domain(context, input, "UserProfiles", |studio| {
                studio
                    .profiles
                    .iter()
                    .map(|name| json!({ "UserProfileName": name, "Status": "InService" }))
                    .collect()
            }),
            "DeleteApp" => self.delete_app(input),
            "DeleteSpace" => text(input, "SpaceName").and_then(|name| {
                let before = self.studio.spaces.len();
                self.studio.spaces.retain(|space| space != name);
                if self.studio.spaces.len() < before { Ok(json!({})) } else { Err(missing(name)) }
            }),
            _ => return None,
        })
    }

    /// A list of what is in the domains that there are, with what stacks made there.
    fn in_domain(
        &self,
        context: &Context,
        input: &Value,
        member: &str,
        made_by_hand: impl Fn(&Studio) -> Vec<Value>,
    ) -> Result<Value, ApiError> {
        let wanted = input.get("DomainIdEquals").and_then(Value::as_str);
        let mut items = Vec::new();
        for (domain, _) in self.made(context, "AWS::SageMaker::Domain") {
            if wanted.is_some_and(|wanted| wanted != domain) {
                continue;
            }
            let mut here = made_by_hand(&self.studio);
            let (kind, name) = match member {
                "UserProfiles" => ("AWS::SageMaker::UserProfile", "UserProfileName"),
                "Spaces" => ("AWS::SageMaker::Space", "SpaceName"),
                _ => ("AWS::SageMaker::App", "AppName"),
            };
            let by_stacks = self.made(context, kind).filter(|(_, found)| found["DomainId"] == domain);
            here.extend(by_stacks.map(|(_, found)| {
                json!({ name: found[name], "AppType": found["AppType"], "UserProfileName": found["UserProfileName"],
                        "Status": "InService" })
            }));
            for item in &mut here {
                item["DomainId"] = domain.into();
            }
            items.extend(here);
        }
        Ok(json!({ member: items }))
    }

    fn delete_app(&mut self, input: &Value) -> Result<Value, ApiError> {
        let owner = match input.get("SpaceName").and_then(Value::as_str) {
            Some(space) => format!("space:{space}"),
            None => format!("user:{}", text(input, "UserProfileName")?),
        };
        let name = format!("{owner}/{}/{}", text(input, "AppType")?, text(input, "AppName")?);
        let before = self.studio.apps.len();
        self.studio.apps.retain(|app| *app != name);
        if self.studio.apps.len() < before { Ok(json!({})) } else { Err(missing(&name)) }
    }
}

fn described(app: &str) -> Option<Value> {
    let mut parts = app.splitn(3, '/');
    let (owner, kind, name) = (parts.next()?, parts.next()?, parts.next()?);
    let (field, owner) = match owner.split_once(':')? {
        ("space", owner) => ("SpaceName", owner),
        (_, owner) => ("UserProfileName", owner),
    };
    Some(json!({ field: owner, "AppType": kind, "AppName": name, "Status": "InService" }))
}

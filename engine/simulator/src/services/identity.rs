//! IAM and load balancing, as far as checks before and after a deployment ask for them.

use serde_json::Value;

use super::Services;
use crate::api::{ApiError, Content, Element, Parameters};
use crate::cloudformation::Context;
use crate::protocol::iso_time;

impl Services {
    pub(super) fn identity(
        &mut self,
        context: &Context,
        action: &str,
        parameters: &Parameters,
    ) -> Result<Vec<Element>, ApiError> {
        match action {
            "GetRole" => {
                let name = parameters.required("RoleName")?;
                Ok(vec![self.role(context, name)?])
            }
            "SimulatePrincipalPolicy" => {
                parameters.required("PolicySourceArn")?;
                let results = parameters.list("ActionNames").into_iter().map(|action| {
                    let denied = self.denied_actions.iter().any(|it| it == "*" || it == action);
                    let decision = if denied { "implicitDeny" } else { "allowed" };
                    Content::Elements(vec![
                        Element::text("EvalActionName", action),
                        Element::text("EvalResourceName", "*"),
                        Element::text("EvalDecision", decision),
                    ])
                });
                Ok(vec![Element::list("EvaluationResults", results), Element::text("IsTruncated", "false")])
            }
            "ListAccountAliases" => {
                Ok(vec![Element::of("AccountAliases", []), Element::text("IsTruncated", "false")])
            }
            _ => Err(ApiError::new(
                "InvalidAction",
                format!("Could not find operation {action} for version 2010-05-08"),
            )),
        }
    }

    fn role(&self, context: &Context, name: &str) -> Result<Element, ApiError> {
        // Roles are the same in all regions.
        let made = self.resources.keys().any(|(account, _, kind, id)| {
            *account == context.account && kind == "AWS::IAM::Role" && id == name
        });
        if !made {
            let message = format!("The role with name {name} cannot be found.");
            return Err(ApiError::new("NoSuchEntity", message).with_status(404));
        }
        Ok(Element::of(
            "Role",
            [
                Element::text("Path", "/"),
                Element::text("RoleName", name),
                Element::text("RoleId", "AROASIMULATED0000000"),
                Element::text(
                    "Arn",
                    format!("arn:{}:iam::{}:role/{name}", context.partition, context.account),
                ),
                Element::text("CreateDate", iso_time(context.now)),
            ],
        ))
    }

    pub(super) fn load_balancing(
        &mut self,
        context: &Context,
        action: &str,
        parameters: &Parameters,
    ) -> Result<Vec<Element>, ApiError> {
        match action {
            "DescribeTargetHealth" => {
                let group = parameters.required("TargetGroupArn")?;
                let properties = self
                    .made(context, "AWS::ElasticLoadBalancingV2::TargetGroup")
                    .find(|(id, _)| *id == group)
                    .map(|(_, properties)| properties)
                    .ok_or_else(|| {
                        ApiError::new("TargetGroupNotFound", format!("Target groups '{group}' not found"))
                    })?;
                let port = properties.get("Port").and_then(Value::as_u64).unwrap_or(80).to_string();
                let target = Content::Elements(vec![
                    Element::of(
                        "Target",
                        [Element::text("Id", "i-0123456789abcdef0"), Element::text("Port", port)],
                    ),
                    Element::of("TargetHealth", [Element::text("State", "healthy")]),
                ]);
                Ok(vec![Element::list("TargetHealthDescriptions", [target])])
            }
            _ => Err(ApiError::new(
                "InvalidAction",
                format!("Could not find operation {action} for version 2015-12-01"),
            )),
        }
    }
}

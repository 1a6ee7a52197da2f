//! IAM, as far as checks before and after a deployment ask for it.

use super::Services;
use crate::api::{ApiError, Content, Element, Parameters};
use crate::cloudformation::Context;
use crate::faults::fits;
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
                let resources = parameters.list("ResourceArns");
                let resource = resources.first().copied().unwrap_or("*").to_owned();
                let results = parameters.list("ActionNames").into_iter().map(|action| {
                    let denied = self.denied_actions.iter().any(|it| fits(it, action));
                    let decision = if denied { "implicitDeny" } else { "allowed" };
                    Content::Elements(vec![
                        Element::text("EvalActionName", action),
                        Element::text("EvalResourceName", resource.as_str()),
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
        let made = self.resources.iter().find(|((account, _, kind, id), _)| {
            *account == context.account && kind == "AWS::IAM::Role" && id == name
        });
        let Some((_, found)) = made else {
            let message = format!("The role with name {name} cannot be found.");
            return Err(ApiError::new("NoSuchEntity", message).with_status(404));
        };
        let trust = found.get("AssumeRolePolicyDocument").map(ToString::to_string).unwrap_or_default();
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
                // IAM gives documents in percent-encoding.
                Element::text(
                    "AssumeRolePolicyDocument",
                    percent_encoding::utf8_percent_encode(&trust, percent_encoding::NON_ALPHANUMERIC)
                        .to_string(),
                ),
            ],
        ))
    }
}

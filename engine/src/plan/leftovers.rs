//! What a stack still holds whose creation failed: it is deleted before it is made anew, and that may lose something.
//!
//! Taking a creation back deletes what was made, but not what the template says to retain; and what could not be deleted
//! is there still. Whoever approves the plan has to see it.

use serde_json::Value;

use super::destroy::{is_retained, left, loss};
use super::failure::failed;
use super::model::{Left, Loss};
use super::parameters::Deployed;
use crate::aws::Session;
use crate::aws::cloudformation::StackResource;
use crate::error::EngineError;

/// What is left of a failed creation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Leftovers {
    /// What goes with the stack and holds data.
    pub(crate) losses: Vec<Loss>,
    /// What stays outside of any stack.
    pub(crate) left: Vec<Left>,
}

/// Asks what a stack still holds.
///
/// # Errors
/// When CloudFormation does not tell: then nothing may be deleted.
pub(crate) async fn leftovers(session: &Session, deployed: &Deployed) -> Result<Leftovers, EngineError> {
    let Deployed { stack, template } = deployed;
    let resources = session.cloudformation().resources(&stack.id).await;
    let resources = resources.map_err(|error| failed(&format!("stack {}", stack.name), &error))?;
    Ok(sorted(&resources, template.as_ref().unwrap_or(&Value::Null)))
}

/// What resources of a stack would be lost with it, and what would stay.
pub(crate) fn sorted(resources: &[StackResource], template: &Value) -> Leftovers {
    let held = resources.iter().filter(|it| it.status != "DELETE_COMPLETE" && it.physical_id.is_some());
    let (stay, go): (Vec<&StackResource>, Vec<&StackResource>) =
        held.partition(|it| it.status == "DELETE_SKIPPED" || is_retained(template, &it.logical_id));
    Leftovers {
        losses: go.into_iter().filter_map(loss).collect(),
        left: stay.into_iter().map(left).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource(logical_id: &str, resource_type: &str, status: &str) -> StackResource {
        StackResource {
            logical_id: logical_id.to_owned(),
            physical_id: Some("x".to_owned()),
            resource_type: resource_type.to_owned(),
            status: status.to_owned(),
            reason: None,
            drift: None,
        }
    }

    /// Fault 37: what goes with the rest of a failed creation is told as what goes with any stack.
    #[test]
    fn data_of_a_failed_creation_is_a_loss_and_what_is_retained_is_left() {
        let resources = [
            resource("Users", "AWS::DynamoDB::Table", "CREATE_COMPLETE"),
            resource("Gone", "AWS::DynamoDB::Table", "DELETE_COMPLETE"),
            resource("Kept", "AWS::S3::Bucket", "CREATE_COMPLETE"),
            resource("Skipped", "AWS::S3::Bucket", "DELETE_SKIPPED"),
            resource("Topic", "AWS::SNS::Topic", "CREATE_COMPLETE"),
        ];
        let template = json!({"Resources": {"Kept": {"DeletionPolicy": "Retain"}}});
        let found = sorted(&resources, &template);
        let losses: Vec<&str> = found.losses.iter().map(|loss| loss.logical_id.as_str()).collect();
        let left: Vec<&str> = found.left.iter().map(|left| left.logical_id.as_str()).collect();
        assert_eq!((losses, left), (vec!["Users"], vec!["Kept", "Skipped"]));
    }
}

//! What whoever starts containers from Amazon ECR has to be allowed.

use formwork::IntoValue;

use super::Statement;

/// Pulls images from repositories, named by ARN.
///
/// Source: Service Authorization Reference, "Amazon Elastic Container Registry".
pub(crate) fn pull_images(repositories: impl IntoValue<String>) -> [Statement; 2] {
    [
        Statement::allow(["ecr:GetAuthorizationToken"])
            .sid("SignInToImages")
            .on_any_resource("the action has no resource type"),
        Statement::allow([
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
        ])
        .sid("PullImages")
        .on(repositories),
    ]
}

//! ECR: repositories that stacks made, and the images in them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Services;
use super::others::text;
use crate::api::ApiError;
use crate::cloudformation::Context;
use crate::protocol::encoding::{base64, hex};

/// The tags of images by repository. An image is as old and as large as its tag says nothing about.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    images: BTreeMap<String, Vec<String>>,
}

impl Registry {
    /// Pushes an image.
    pub fn push(&mut self, repository: &str, tag: &str) {
        self.images.entry(repository.to_owned()).or_default().push(tag.to_owned());
    }

    /// The tags of a repository.
    pub fn tags(&self, repository: &str) -> &[String] {
        self.images.get(repository).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn remove(&mut self, repository: &str) {
        self.images.remove(repository);
    }
}

impl Services {
    /// ECR's operations; nothing for those that it does not know.
    pub(super) fn registry(
        &mut self,
        context: &Context,
        operation: &str,
        input: &Value,
    ) -> Option<Result<Value, ApiError>> {
        Some(match operation {
            "GetAuthorizationToken" => Ok(json!({ "authorizationData": [{
                "authorizationToken": base64(b"AWS:simulated"),
                "proxyEndpoint": format!("https://{}", host(context)),
            }] })),
            "DescribeRepositories" => {
                let all = self.made(context, "AWS::ECR::Repository").map(|(name, _)| json!({
                    "repositoryName": name,
                    "registryId": context.account,
                    "repositoryArn": format!(
                        "arn:{}:ecr:{}:{}:repository/{name}", context.partition, context.region, context.account
                    ),
                    "repositoryUri": format!("{}/{name}", host(context)),
                }));
                Ok(json!({ "repositories": all.collect::<Vec<Value>>() }))
            }
            "ListImages" => self.tags_of(context, input).map(|tags| {
                let ids: Vec<Value> = tags.iter().map(|tag| image_id(tag)).collect();
                json!({ "imageIds": ids })
            }),
            "DescribeImages" => self.describe_images(context, input),
            "BatchDeleteImage" => self.delete_images(context, input),
            _ => return None,
        })
    }

    fn tags_of(&self, context: &Context, input: &Value) -> Result<Vec<String>, ApiError> {
        let name = text(input, "repositoryName")?;
        let tags = self.images.tags(name);
        let is_made = self.made(context, "AWS::ECR::Repository").any(|(it, _)| it == name);
        if !is_made && tags.is_empty() {
            let message = format!(
                "The repository with name '{name}' does not exist in the registry with id '{}'",
                context.account
            );
            return Err(ApiError::new("RepositoryNotFoundException", message));
        }
        Ok(tags.to_vec())
    }

    fn describe_images(&self, context: &Context, input: &Value) -> Result<Value, ApiError> {
        let tags = self.tags_of(context, input)?;
        let wanted: Option<Vec<&str>> = input
            .get("imageIds")
            .and_then(Value::as_array)
            .map(|ids| ids.iter().filter_map(|id| id["imageTag"].as_str()).collect());
        let missing = wanted.iter().flatten().find(|tag| !tags.iter().any(|it| it == *tag));
        if let Some(tag) = missing {
            let message =
                format!("The image with imageId {{imageDigest:'null', imageTag:'{tag}'}} does not exist");
            return Err(ApiError::new("ImageNotFoundException", message));
        }
        let told =
            tags.iter().filter(|tag| wanted.as_ref().is_none_or(|wanted| wanted.contains(&tag.as_str())));
        let details: Vec<Value> = told
            .map(|tag| json!({ "imageDigest": digest(tag), "imageTags": [tag], "imageSizeInBytes": 1 }))
            .collect();
        Ok(json!({ "imageDetails": details }))
    }

    fn delete_images(&mut self, context: &Context, input: &Value) -> Result<Value, ApiError> {
        self.tags_of(context, input)?;
        let ids = input.get("imageIds").and_then(Value::as_array).cloned().unwrap_or_default();
        let means =
            |tag: &String| ids.iter().any(|id| id["imageTag"] == **tag || id["imageDigest"] == digest(tag));
        let tags = self.images.images.entry(text(input, "repositoryName")?.to_owned()).or_default();
        let gone: Vec<Value> = tags.iter().filter(|tag| means(tag)).map(|tag| image_id(tag)).collect();
        tags.retain(|tag| !means(tag));
        Ok(json!({ "imageIds": gone, "failures": [] }))
    }
}

fn host(context: &Context) -> String {
    format!("{}.dkr.ecr.{}.amazonaws.com", context.account, context.region)
}

fn image_id(tag: &str) -> Value {
    json!({ "imageDigest": digest(tag), "imageTag": tag })
}

fn digest(tag: &str) -> String {
    format!("sha256:{}", hex(&Sha256::digest(tag)))
}

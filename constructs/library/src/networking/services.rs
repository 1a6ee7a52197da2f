//! The AWS services that are called from inside the network, and the VPC endpoints that they have.
//!
//! What is known of a service stands in one table: how its endpoint is named, and the resource type without which a
//! region cannot have it. Sources: the AWS PrivateLink guide, "AWS services that integrate with AWS PrivateLink"; the
//! Amazon SageMaker AI guide, "Connect to SageMaker AI within your VPC"; the endpoint constants of the CDK 2.276.0.

use formwork::{Value, available_in, pseudo, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::regions;

/// An AWS service that is called from inside the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AwsService {
    /// AWS CloudFormation, to which instances signal that they are ready.
    CloudFormation,
    /// Amazon CloudWatch: metrics.
    CloudWatch,
    /// Amazon CloudWatch Logs.
    CloudWatchLogs,
    /// Amazon DynamoDB, by a gateway endpoint.
    DynamoDb,
    /// The message service of older agents of AWS Systems Manager. Agents from version 3.3.40.0 (2024) on use
    /// [`AwsService::SystemsManagerMessages`] instead, so no preset has it.
    Ec2Messages,
    /// The API of Amazon ECR.
    EcrApi,
    /// The image registry of Amazon ECR.
    EcrRegistry,
    /// Amazon EFS.
    ElasticFileSystem,
    /// AWS KMS.
    KeyManagement,
    /// The data plane of SageMaker MLflow apps (serverless).
    ///
    /// AWS documents no endpoint for it. Two public infrastructure descriptions use `aws.sagemaker.REGION.mlflow` in
    /// eu-west-1 and us-west-2 (seen on 2026-11-21), so it can be asked for, but no preset relies on it.
    MlflowApp,
    /// The data plane of SageMaker MLflow tracking servers.
    MlflowTrackingServer,
    /// Amazon S3, by a gateway endpoint.
    S3,
    /// The control plane of Amazon SageMaker AI.
    SageMakerApi,
    /// SageMaker notebook instances and the notebooks of Studio.
    SageMakerNotebook,
    /// The inference endpoints of SageMaker.
    SageMakerRuntime,
    /// SageMaker Studio.
    SageMakerStudio,
    /// AWS Secrets Manager.
    SecretsManager,
    /// AWS Service Catalog, which SageMaker's projects use.
    ServiceCatalog,
    /// AWS STS.
    SecurityTokens,
    /// AWS Systems Manager.
    SystemsManager,
    /// The message service of AWS Systems Manager, which carries its sessions.
    SystemsManagerMessages,
}

/// How a service is reached inside a VPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointKind {
    /// By routes: free of charge, no network interface.
    Gateway,
    /// By a network interface in each zone.
    Interface,
}

/// Who owns the name of an endpoint service.
#[derive(Clone, Copy)]
enum Owner {
    /// `com.amazonaws.REGION.x`, in China too.
    Aws,
    /// `com.amazonaws.REGION.x`, but `cn.com.amazonaws.REGION.x` in China.
    AwsAndChina,
    /// `aws.sagemaker.REGION.x`.
    SageMaker,
}

/// What is known of a service.
struct Facts {
    title: &'static str,
    /// The construct's id; a change would replace the endpoint.
    id: &'static str,
    owner: Owner,
    /// The end of the endpoint service's name.
    name: &'static str,
    /// A type without which a region does not have the service.
    needs: Option<&'static str>,
}

const DOMAIN: Option<&str> = Some("AWS::SageMaker::Domain");
const TRACKING_SERVER: Option<&str> = Some("AWS::SageMaker::MlflowTrackingServer");
const APP: Option<&str> = Some("AWS::SageMaker::MlflowApp");

impl AwsService {
    #[rustfmt::skip]
    fn facts(self) -> Facts {
        use Owner::{Aws, AwsAndChina, SageMaker};
        let (title, id, owner, name, needs) = match self {
            Self::CloudFormation         => ("CloudFormation", "CloudFormation", AwsAndChina, "cloudformation", None),
            Self::CloudWatch             => ("CloudWatch", "CloudWatch", AwsAndChina, "monitoring", None),
            Self::CloudWatchLogs         => ("CloudWatch Logs", "CloudWatchLogs", Aws, "logs", None),
            Self::DynamoDb               => ("DynamoDB", "DynamoDb", Aws, "dynamodb", None),
            Self::Ec2Messages            => ("EC2 messages", "Ec2Messages", Aws, "ec2messages", None),
            Self::EcrApi                 => ("the ECR API", "EcrApi", AwsAndChina, "ecr.api", None),
            Self::EcrRegistry            => ("the ECR registry", "EcrRegistry", AwsAndChina, "ecr.dkr", None),
            Self::ElasticFileSystem      => ("EFS", "ElasticFileSystem", AwsAndChina, "elasticfilesystem", None),
            Self::KeyManagement          => ("KMS", "KeyManagement", Aws, "kms", None),
            Self::MlflowApp              => ("the MLflow app", "MlflowApp", SageMaker, "mlflow", APP),
            Self::MlflowTrackingServer   => ("the MLflow tracking server", "MlflowTrackingServer", SageMaker, "experiments", TRACKING_SERVER),
            Self::S3                     => ("S3", "S3", Aws, "s3", None),
            Self::SageMakerApi           => ("the SageMaker API", "SageMakerApi", AwsAndChina, "sagemaker.api", None),
            Self::SageMakerNotebook      => ("SageMaker notebooks", "SageMakerNotebook", SageMaker, "notebook", DOMAIN),
            Self::SageMakerRuntime       => ("the SageMaker runtime", "SageMakerRuntime", AwsAndChina, "sagemaker.runtime", None),
            Self::SageMakerStudio        => ("SageMaker Studio", "SageMakerStudio", SageMaker, "studio", DOMAIN),
            Self::SecretsManager         => ("Secrets Manager", "SecretsManager", Aws, "secretsmanager", None),
            Self::ServiceCatalog         => ("Service Catalog", "ServiceCatalog", AwsAndChina, "servicecatalog", None),
            Self::SecurityTokens         => ("STS", "SecurityTokens", AwsAndChina, "sts", None),
            Self::SystemsManager         => ("Systems Manager", "SystemsManager", Aws, "ssm", None),
            Self::SystemsManagerMessages => ("Systems Manager messages", "SystemsManagerMessages", Aws, "ssmmessages", None),
        };
        Facts { title, id, owner, name, needs }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        self.facts().title
    }

    /// The id of the endpoint's construct.
    pub(super) fn id(self) -> &'static str {
        self.facts().id
    }

    /// How the service is reached inside a VPC.
    pub fn endpoint_kind(self) -> EndpointKind {
        match self {
            Self::S3 | Self::DynamoDb => EndpointKind::Gateway,
            _ => EndpointKind::Interface,
        }
    }

    /// The name of the endpoint service. `region` is the region as far as it is known: China has prefixes of its own,
    /// and a template for any region has the names of the other partitions.
    pub fn endpoint_service(self, region: Option<&str>) -> Value<String> {
        let Facts { owner, name, .. } = self.facts();
        let region_value = pseudo::region();
        match (owner, region) {
            (Owner::SageMaker, _) => text!("aws.sagemaker.{}.{}", region_value, name),
            (Owner::AwsAndChina, Some(region)) if region.starts_with("cn-") => {
                text!("cn.com.amazonaws.{}.{}", region_value, name)
            }
            _ => text!("com.amazonaws.{}.{}", region_value, name),
        }
    }

    /// The name of the endpoint service for people, with `REGION` for a region that is not known.
    pub(super) fn endpoint_service_in_words(self, region: Option<&str>) -> String {
        let Facts { owner, name, .. } = self.facts();
        let prefix = match (owner, region) {
            (Owner::SageMaker, _) => "aws.sagemaker",
            (Owner::AwsAndChina, Some(region)) if region.starts_with("cn-") => "cn.com.amazonaws",
            _ => "com.amazonaws",
        };
        format!("{prefix}.{}.{name}", region.unwrap_or("REGION"))
    }

    /// Whether a region has an endpoint of the service; nothing when that is not known.
    ///
    /// An endpoint cannot be where its service is not. Beyond that, regions in the record of [`super::RECORD_DATE`] have all
    /// endpoints that are older.
    pub fn has_endpoint_in(self, region: &str) -> Option<bool> {
        match self.facts().needs.and_then(|needs| available_in(needs, region)) {
            Some(false) => Some(false),
            _ if NEWER_THAN_THE_RECORD.contains(&self) => None,
            _ => regions::zones_of(region).map(|_| true),
        }
    }
}

/// Endpoints that came after [`super::RECORD_DATE`].
const NEWER_THAN_THE_RECORD: [AwsService; 2] = [AwsService::MlflowTrackingServer, AwsService::MlflowApp];

/// The services by their titles, as a sentence has them.
pub(super) fn in_words(services: &[AwsService]) -> String {
    let titles: Vec<&str> = services.iter().map(|service| service.title()).collect();
    match titles.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_services_have_their_exact_names() {
        let name = |service: AwsService, region| service.endpoint_service_in_words(region);
        assert_eq!(name(AwsService::SecurityTokens, Some("eu-west-1")), "com.amazonaws.eu-west-1.sts");
        assert_eq!(
            name(AwsService::SageMakerApi, Some("eu-west-1")),
            "com.amazonaws.eu-west-1.sagemaker.api"
        );
        assert_eq!(name(AwsService::SageMakerStudio, Some("eu-west-1")), "aws.sagemaker.eu-west-1.studio");
        assert_eq!(name(AwsService::MlflowTrackingServer, None), "aws.sagemaker.REGION.experiments");
        assert_eq!(name(AwsService::SecurityTokens, Some("cn-north-1")), "cn.com.amazonaws.cn-north-1.sts");
        assert_eq!(name(AwsService::CloudWatchLogs, Some("cn-north-1")), "com.amazonaws.cn-north-1.logs");
    }

    #[test]
    fn an_endpoint_is_not_where_its_service_is_not() {
        assert_eq!(AwsService::SecurityTokens.has_endpoint_in("eu-west-1"), Some(true));
        assert_eq!(AwsService::SecurityTokens.has_endpoint_in("mars-north-1"), None);
        assert_eq!(AwsService::MlflowTrackingServer.has_endpoint_in("us-east-1"), None);
        assert_eq!(AwsService::MlflowTrackingServer.has_endpoint_in("cn-north-1"), Some(false));
        assert_eq!(AwsService::MlflowApp.has_endpoint_in("af-south-1"), Some(false));
    }

    #[test]
    fn services_in_words() {
        assert_eq!(in_words(&[AwsService::S3]), "S3");
        assert_eq!(
            in_words(&[AwsService::S3, AwsService::SecurityTokens, AwsService::CloudWatchLogs]),
            "S3, STS and CloudWatch Logs"
        );
    }
}

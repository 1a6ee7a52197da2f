//! Where services are reached and how their names differ: in signatures, in hosts and in settings.

use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// What is to be known of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// The name in signatures.
    pub(crate) signing: &'static str,
    /// The service's id, by which `AWS_ENDPOINT_URL_<ID>` and profiles name it.
    id: &'static str,
    /// The host's first part.
    host: &'static str,
    /// The version of AWS JSON.
    pub(crate) json: &'static str,
    /// Whether there is one endpoint for a partition.
    global: bool,
}

const fn service(signing: &'static str, id: &'static str, host: &'static str) -> Service {
    Service { signing, id, host, json: "1.1", global: false }
}

/// The services that are called, from the AWS SDKs' service models.
const SERVICES: &[Service] = &[
    service("apigateway", "API Gateway", "apigateway"),
    service("autoscaling", "Auto Scaling", "autoscaling"),
    service("batch", "Batch", "batch"),
    service("cloudformation", "CloudFormation", "cloudformation"),
    service("cloudtrail", "CloudTrail", "cloudtrail"),
    service("ec2", "EC2", "ec2"),
    service("ecr", "ECR", "api.ecr"),
    service("ecs", "ECS", "ecs"),
    service("elasticfilesystem", "EFS", "elasticfilesystem"),
    service("elasticloadbalancing", "Elastic Load Balancing v2", "elasticloadbalancing"),
    Service { global: true, ..service("iam", "IAM", "iam") },
    service("kms", "KMS", "kms"),
    service("lambda", "Lambda", "lambda"),
    service("logs", "CloudWatch Logs", "logs"),
    service("monitoring", "CloudWatch", "monitoring"),
    service("rds", "RDS", "rds"),
    service("sagemaker", "SageMaker", "api.sagemaker"),
    service("secretsmanager", "Secrets Manager", "secretsmanager"),
    service("servicecatalog", "Service Catalog", "servicecatalog"),
    service("servicequotas", "Service Quotas", "servicequotas"),
    service("ssm", "SSM", "ssm"),
    Service { json: "1.0", ..service("states", "SFN", "states") },
    service("sts", "STS", "sts"),
    Service { json: "1.0", ..service("dynamodb", "DynamoDB", "dynamodb") },
    service("tagging", "Resource Groups Tagging API", "tagging"),
];

impl Service {
    /// A service by the name that signatures use.
    ///
    /// # Panics
    /// When the engine calls a service that the table does not have, which its first test shows.
    pub(crate) fn of(signing: &str) -> Self {
        match SERVICES.iter().find(|service| service.signing == signing) {
            Some(service) => service.clone(),
            None => panic!("the table of services has no {signing:?}"),
        }
    }

    /// The endpoint and the region of its signatures. `AWS_ENDPOINT_URL_<ID>`, a profile's `services` and
    /// `AWS_ENDPOINT_URL` come first, as in the SDK's clients; `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` has been heeded by
    /// whoever loaded the settings.
    pub(crate) fn endpoint(
        &self,
        configuration: &SdkConfig,
        partition: &str,
        region: &str,
    ) -> (String, String) {
        let key =
            ServiceConfigKey::builder().service_id(self.id).env("AWS_ENDPOINT_URL").profile("endpoint_url");
        let own = key.build().ok().and_then(|key| configuration.service_config()?.load_config(key));
        if let Some(url) = own.or_else(|| configuration.endpoint_url().map(str::to_owned)) {
            return (url, region.to_owned());
        }
        let suffix = dns_suffix(partition);
        if !self.global {
            return (format!("https://{}.{region}.{suffix}", self.host), region.to_owned());
        }
        let (host, region) = match partition {
            "aws" => (self.host.to_owned(), "us-east-1"),
            "aws-cn" => (format!("{}.cn-north-1", self.host), "cn-north-1"),
            "aws-us-gov" => (format!("{}.us-gov", self.host), "us-gov-west-1"),
            _ => (format!("{}.{region}", self.host), region),
        };
        (format!("https://{host}.{suffix}"), region.to_owned())
    }
}

/// The domain of a partition's endpoints.
fn dns_suffix(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "amazonaws.com.cn",
        "aws-eusc" => "amazonaws.eu",
        "aws-iso" => "c2s.ic.gov",
        "aws-iso-b" => "sc2s.sgov.gov",
        "aws-iso-e" => "cloud.adc-e.uk",
        "aws-iso-f" => "csp.hci.ic.gov",
        _ => "amazonaws.com",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_those_of_the_service_models() {
        let none = SdkConfig::builder().build();
        let host = |name, partition, region| Service::of(name).endpoint(&none, partition, region);
        let pair = |url: &str, region: &str| (url.to_owned(), region.to_owned());
        assert_eq!(
            host("sagemaker", "aws", "eu-west-1"),
            pair("https://api.sagemaker.eu-west-1.amazonaws.com", "eu-west-1")
        );
        assert_eq!(
            host("ssm", "aws-cn", "cn-north-1"),
            pair("https://ssm.cn-north-1.amazonaws.com.cn", "cn-north-1")
        );
        assert_eq!(host("iam", "aws", "eu-west-1"), pair("https://iam.amazonaws.com", "us-east-1"));
        let local = SdkConfig::builder().endpoint_url("http://127.0.0.1:4566").build();
        assert_eq!(Service::of("ecr").endpoint(&local, "aws", "eu-west-1").0, "http://127.0.0.1:4566");
    }
}

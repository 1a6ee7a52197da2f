//! What resources that stay behind go on costing, in plain words.

/// What a type costs while it stays; nothing when AWS does not bill it, or nothing is known.
///
/// Sources: the pricing pages of the services, read for what is billed and not for the price.
pub(super) fn words(resource_type: &str) -> Option<&'static str> {
    Some(match resource_type {
        "AWS::S3::Bucket" => "its objects are billed by the gigabyte and month",
        "AWS::EFS::FileSystem" => "its files are billed by the gigabyte and month",
        "AWS::EC2::Volume" => "it is billed by the gigabyte and month, attached or not",
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => {
            "its items are billed by the gigabyte and month, provisioned capacity by the hour"
        }
        "AWS::RDS::DBInstance" | "AWS::RDS::DBCluster" => "it is billed by the hour, with its storage",
        "AWS::ECR::Repository" => "its images are billed by the gigabyte and month",
        "AWS::Logs::LogGroup" => "its logs are billed by the gigabyte and month",
        "AWS::KMS::Key" => "it is billed by the month",
        "AWS::SecretsManager::Secret" => "it is billed by the month",
        "AWS::EC2::NatGateway" | "AWS::EC2::VPCEndpoint" | "AWS::ElasticLoadBalancingV2::LoadBalancer" => {
            "it is billed by the hour, used or not"
        }
        "AWS::EC2::EIP" => "it is billed by the hour, used or not",
        "AWS::EC2::Instance" => "it is billed by the second while it runs, its volumes always",
        "AWS::SageMaker::MlflowTrackingServer" | "AWS::SageMaker::MlflowApp" => {
            "it is billed by the hour while it runs, what it keeps by the gigabyte and month"
        }
        "AWS::SageMaker::Domain" | "AWS::SageMaker::UserProfile" => {
            "its home directories are billed by the gigabyte and month, running apps by the hour"
        }
        _ => return None,
    })
}

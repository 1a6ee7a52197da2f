//! How long resources take, by type: rough figures of everyday experience, for rehearsals and for progress displays.
//!
//! AWS promises none of them and the same resource takes twice as long on another day. They are right in proportion: what
//! is waited for in a real deployment is waited for in a rehearsal.

use std::time::Duration;

/// What is done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    /// It is made.
    Create,
    /// It is changed in place.
    Update,
    /// It is deleted.
    Delete,
}

/// Seconds for making, changing and deleting a resource of a type.
const SECONDS: &[(&str, u32, u32, u32)] = &[
    ("AWS::ApiGateway::Deployment", 3, 3, 2),
    ("AWS::ApiGateway::Stage", 3, 3, 2),
    ("AWS::ApiGateway::VpcLink", 150, 20, 90),
    ("AWS::AutoScaling::AutoScalingGroup", 90, 45, 120),
    ("AWS::Batch::ComputeEnvironment", 40, 30, 60),
    ("AWS::Batch::JobQueue", 20, 15, 30),
    ("AWS::CloudFormation::CustomResource", 10, 10, 8),
    ("AWS::CloudFormation::WaitCondition", 60, 5, 1),
    ("AWS::CloudFormation::WaitConditionHandle", 1, 1, 1),
    ("AWS::CloudFront::Distribution", 240, 200, 300),
    ("AWS::DynamoDB::Table", 12, 15, 10),
    ("AWS::EC2::EIP", 16, 5, 5),
    ("AWS::EC2::FlowLog", 3, 3, 3),
    ("AWS::EC2::Instance", 25, 20, 45),
    ("AWS::EC2::InternetGateway", 17, 5, 5),
    ("AWS::EC2::NatGateway", 100, 10, 75),
    ("AWS::EC2::SecurityGroup", 6, 4, 4),
    ("AWS::EC2::Subnet", 5, 4, 4),
    ("AWS::EC2::VPC", 12, 5, 4),
    ("AWS::EC2::VPCEndpoint", 75, 25, 60),
    ("AWS::EC2::VPCGatewayAttachment", 16, 5, 8),
    ("AWS::ECS::Cluster", 6, 5, 5),
    ("AWS::ECS::Service", 120, 120, 100),
    ("AWS::EFS::FileSystem", 10, 5, 8),
    ("AWS::EFS::MountTarget", 85, 5, 60),
    ("AWS::EKS::Cluster", 600, 300, 300),
    ("AWS::ElastiCache::ReplicationGroup", 480, 300, 300),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", 150, 10, 20),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", 16, 4, 3),
    ("AWS::IAM::InstanceProfile", 125, 20, 2),
    ("AWS::IAM::ManagedPolicy", 17, 15, 2),
    ("AWS::IAM::Policy", 16, 15, 2),
    ("AWS::IAM::Role", 18, 15, 2),
    ("AWS::IAM::User", 35, 15, 2),
    ("AWS::KMS::Key", 60, 10, 2),
    ("AWS::Lambda::Function", 8, 10, 5),
    ("AWS::Logs::LogGroup", 3, 3, 2),
    ("AWS::RDS::DBCluster", 180, 120, 180),
    ("AWS::RDS::DBInstance", 400, 240, 240),
    ("AWS::RDS::DBSubnetGroup", 3, 3, 2),
    ("AWS::Route53::RecordSet", 35, 35, 35),
    ("AWS::S3::Bucket", 22, 20, 3),
    ("AWS::S3::BucketPolicy", 2, 2, 2),
    ("AWS::SageMaker::Domain", 240, 60, 180),
    ("AWS::SageMaker::MlflowApp", 180, 60, 120),
    ("AWS::SageMaker::MlflowTrackingServer", 1_500, 600, 600),
    ("AWS::SageMaker::UserProfile", 15, 10, 20),
    ("AWS::SecretsManager::Secret", 2, 2, 2),
    ("AWS::StepFunctions::StateMachine", 4, 4, 30),
];

/// How long a resource of a type typically takes.
pub fn typical(resource_type: &str, work: Work) -> Duration {
    let custom = resource_type.starts_with("Custom::");
    let name = if custom { "AWS::CloudFormation::CustomResource" } else { resource_type };
    let found = SECONDS.binary_search_by(|(known, ..)| (*known).cmp(name));
    let (create, update, delete) = match found {
        Ok(index) => (SECONDS[index].1, SECONDS[index].2, SECONDS[index].3),
        Err(_) => (4, 4, 3),
    };
    Duration::from_secs(u64::from(match work {
        Work::Create => create,
        Work::Update => update,
        Work::Delete => delete,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_real_types() {
        assert!(SECONDS.is_sorted_by(|left, right| left.0 < right.0));
        for (name, ..) in SECONDS {
            assert!(formwork_schema::resource_type(name).is_some(), "{name}");
        }
    }

    #[test]
    fn custom_types_take_as_long_as_custom_resources() {
        assert_eq!(typical("Custom::MlflowApp", Work::Create), Duration::from_secs(10));
        assert_eq!(typical("AWS::SageMaker::MlflowTrackingServer", Work::Create), Duration::from_secs(1_500));
        assert_eq!(typical("AWS::Nobody::Knows", Work::Delete), Duration::from_secs(3));
    }
}

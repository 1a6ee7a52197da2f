//! How long resources take.
//!
//! Typical times from public experience (AWS's pages, launch blogs and questions in forums), rounded; they serve the
//! progress bar, the prediction of the critical path and rehearsals, and no decision.

/// How long a resource of a type typically takes to be made, in seconds.
pub fn typical_seconds(resource_type: &str) -> u64 {
    match resource_type {
        "AWS::SageMaker::MlflowTrackingServer" => 1500,
        "AWS::SageMaker::MlflowApp" => 180,
        "AWS::SageMaker::Domain" => 300,
        "AWS::SageMaker::UserProfile" => 30,
        "AWS::EC2::NatGateway" => 120,
        "AWS::EC2::VPCEndpoint" => 75,
        "AWS::EC2::InternetGateway" | "AWS::EC2::EIP" | "AWS::EC2::Route" => 16,
        "AWS::EC2::VPC" => 12,
        "AWS::EC2::Instance" => 35,
        "AWS::EC2::FlowLog" | "AWS::EC2::VPCGatewayAttachment" => 8,
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => 160,
        "AWS::AutoScaling::AutoScalingGroup" => 120,
        "AWS::RDS::DBInstance" => 480,
        "AWS::RDS::DBCluster" => 360,
        "AWS::EFS::MountTarget" => 95,
        "AWS::ECS::Service" => 150,
        "AWS::CloudFront::Distribution" => 240,
        "AWS::CertificateManager::Certificate" => 180,
        "AWS::ApiGatewayV2::VpcLink" | "AWS::ApiGateway::VpcLink" => 150,
        "AWS::Batch::ComputeEnvironment" => 30,
        "AWS::IAM::InstanceProfile" => 125,
        "AWS::IAM::Role" | "AWS::IAM::ManagedPolicy" => 18,
        "AWS::IAM::Policy" | "AWS::IAM::User" => 17,
        "AWS::KMS::Key" => 15,
        "AWS::S3::Bucket" => 22,
        "AWS::Lambda::Function" => 10,
        "AWS::CloudFormation::Stack" => 120,
        "AWS::CloudFormation::CustomResource" => 30,
        custom if custom.starts_with("Custom::") => 30,
        _ => 5,
    }
}

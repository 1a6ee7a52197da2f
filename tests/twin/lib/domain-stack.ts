// SageMaker Studio with its execution role, its bucket and one user.

import { Aws, CfnOutput, RemovalPolicy, Stack, StackProps } from "aws-cdk-lib";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import * as iam from "aws-cdk-lib/aws-iam";
import * as s3 from "aws-cdk-lib/aws-s3";
import * as sagemaker from "aws-cdk-lib/aws-sagemaker";
import { Construct } from "constructs";

export interface DomainStackProps extends StackProps {
  readonly vpc: ec2.IVpc;
  readonly studioGroup: ec2.ISecurityGroup;
}

export class DomainStack extends Stack {
  constructor(scope: Construct, id: string, props: DomainStackProps) {
    super(scope, id, props);
    const bucket = new s3.Bucket(this, "Bucket", {
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      versioned: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const role = new iam.Role(this, "ExecutionRole", {
      assumedBy: new iam.ServicePrincipal("sagemaker.amazonaws.com"),
      managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName("AmazonSageMakerFullAccess")],
    });
    bucket.grantReadWrite(role);
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [`arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:/aws/sagemaker/*`],
      }),
    );

    const settings = {
      executionRole: role.roleArn,
      securityGroups: [props.studioGroup.securityGroupId],
    };
    const domain = new sagemaker.CfnDomain(this, "Domain", {
      domainName: "mlflow-studio",
      authMode: "IAM",
      appNetworkAccessType: "VpcOnly",
      vpcId: props.vpc.vpcId,
      subnetIds: props.vpc.selectSubnets({ subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS }).subnetIds,
      defaultUserSettings: { ...settings, studioWebPortal: "ENABLED" },
      defaultSpaceSettings: settings,
    });
    const user = new sagemaker.CfnUserProfile(this, "User", {
      domainId: domain.attrDomainId,
      userProfileName: "default-user",
      userSettings: settings,
    });
    new CfnOutput(this, "DomainId", { value: domain.attrDomainId });
    new CfnOutput(this, "UserProfileArn", { value: user.attrUserProfileArn });
  }
}

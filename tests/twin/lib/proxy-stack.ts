// The proxy: one instance behind a load balancer, with its files as an asset.

import * as path from "node:path";

import { Aws, CfnOutput, Stack, StackProps } from "aws-cdk-lib";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import * as elbv2 from "aws-cdk-lib/aws-elasticloadbalancingv2";
import * as targets from "aws-cdk-lib/aws-elasticloadbalancingv2-targets";
import * as iam from "aws-cdk-lib/aws-iam";
import * as assets from "aws-cdk-lib/aws-s3-assets";
import { Construct } from "constructs";

export interface ProxyStackProps extends StackProps {
  readonly vpc: ec2.IVpc;
  readonly loadBalancerGroup: ec2.ISecurityGroup;
  readonly proxyGroup: ec2.ISecurityGroup;
  readonly mlflowArn: string;
}

export class ProxyStack extends Stack {
  constructor(scope: Construct, id: string, props: ProxyStackProps) {
    super(scope, id, props);
    const files = new assets.Asset(this, "Files", { path: path.join(__dirname, "..", "proxy") });
    const instanceRole = new iam.Role(this, "InstanceRole", {
      assumedBy: new iam.ServicePrincipal("ec2.amazonaws.com"),
      managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName("AmazonSSMManagedInstanceCore")],
    });
    files.grantRead(instanceRole);
    const mlflowRole = new iam.Role(this, "MlflowRole", { assumedBy: instanceRole });
    mlflowRole.addToPolicy(
      new iam.PolicyStatement({ actions: ["sagemaker-mlflow:*"], resources: [props.mlflowArn] }),
    );

    const userData = ec2.UserData.forLinux();
    userData.addCommands(
      "set -euo pipefail",
      `aws s3 cp ${files.s3ObjectUrl} /tmp/proxy.zip && unzip -d /opt/mlflow-proxy /tmp/proxy.zip`,
      `bash /opt/mlflow-proxy/start.sh '${props.mlflowArn}' '${Aws.REGION}' '${mlflowRole.roleArn}'`,
    );
    const instance = new ec2.Instance(this, "Proxy", {
      vpc: props.vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      instanceType: ec2.InstanceType.of(ec2.InstanceClass.T3, ec2.InstanceSize.SMALL),
      machineImage: ec2.MachineImage.fromSsmParameter(
        "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
        { os: ec2.OperatingSystemType.LINUX, userData },
      ),
      role: instanceRole,
      securityGroup: props.proxyGroup,
      requireImdsv2: true,
    });

    const loadBalancer = new elbv2.ApplicationLoadBalancer(this, "LoadBalancer", {
      vpc: props.vpc,
      internetFacing: true,
      securityGroup: props.loadBalancerGroup,
    });
    loadBalancer.addListener("Http", { port: 80, open: false }).addTargets("Proxy", {
      port: 5000,
      protocol: elbv2.ApplicationProtocol.HTTP,
      targets: [new targets.InstanceTarget(instance, 5000)],
      healthCheck: { path: "/health" },
    });
    new CfnOutput(this, "ProxyUrl", { value: `http://${loadBalancer.loadBalancerDnsName}` });
  }
}

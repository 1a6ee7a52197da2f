// The network that all others stand in: three tiers of subnets, endpoints, and the security groups that stacks share.

import { CfnOutput, Stack, StackProps } from "aws-cdk-lib";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import { Construct } from "constructs";

export interface NetworkingStackProps extends StackProps {
  readonly natGateways: number;
}

export class NetworkingStack extends Stack {
  readonly vpc: ec2.Vpc;
  readonly studioGroup: ec2.SecurityGroup;
  readonly loadBalancerGroup: ec2.SecurityGroup;
  readonly proxyGroup: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, props: NetworkingStackProps) {
    super(scope, id, props);
    const vpc = new ec2.Vpc(this, "Vpc", {
      ipAddresses: ec2.IpAddresses.cidr("10.20.0.0/16"),
      maxAzs: 2,
      natGateways: props.natGateways,
      subnetConfiguration: [
        { name: "Public", subnetType: ec2.SubnetType.PUBLIC, cidrMask: 24 },
        { name: "Private", subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 22 },
        { name: "Isolated", subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
      ],
      flowLogs: { Rejects: { trafficType: ec2.FlowLogTrafficType.REJECT } },
    });
    const group = (name: string, description: string, allowAllOutbound: boolean) =>
      new ec2.SecurityGroup(this, name, { vpc, description, allowAllOutbound });

    const endpointGroup = group("EndpointGroup", "HTTPS to the interface endpoints", false);
    endpointGroup.addIngressRule(ec2.Peer.ipv4(vpc.vpcCidrBlock), ec2.Port.HTTPS, "HTTPS from inside the VPC");
    this.studioGroup = group("StudioGroup", "Applications of SageMaker Studio", true);
    this.studioGroup.addIngressRule(this.studioGroup, ec2.Port.tcpRange(8192, 65535), "Between applications");
    this.studioGroup.addIngressRule(this.studioGroup, ec2.Port.NFS, "Home directories");
    this.loadBalancerGroup = group("LoadBalancerGroup", "The load balancer", false);
    this.loadBalancerGroup.addIngressRule(ec2.Peer.anyIpv4(), ec2.Port.HTTP, "HTTP from everywhere");
    this.proxyGroup = group("ProxyGroup", "The proxy", true);
    this.proxyGroup.addIngressRule(this.loadBalancerGroup, ec2.Port.tcp(5000), "From the load balancer");
    this.loadBalancerGroup.addEgressRule(this.proxyGroup, ec2.Port.tcp(5000), "To the proxy");

    vpc.addGatewayEndpoint("S3", { service: ec2.GatewayVpcEndpointAwsService.S3 });
    const services = {
      SageMakerApi: ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_API,
      Sts: ec2.InterfaceVpcEndpointAwsService.STS,
      Logs: ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    };
    for (const [name, service] of Object.entries(services)) {
      vpc.addInterfaceEndpoint(name, {
        service,
        open: false,
        securityGroups: [endpointGroup],
        subnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      });
    }
    this.vpc = vpc;
    new CfnOutput(this, "VpcId", { value: vpc.vpcId });
  }
}

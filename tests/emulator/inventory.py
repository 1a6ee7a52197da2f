"""Lists what is in the emulator beside stacks, one a line: kind, space, name. The region comes from the environment.

Kinds are those that a deployment of the built-in app makes and that cost something or would be in the way of the next
one; accounts have some of them from the start.
"""

import boto3

# Kind, service, operation, list, name.
KINDS = [
    ("stack", "cloudformation", "list_stacks", "StackSummaries", "StackName"),
    ("bucket", "s3", "list_buckets", "Buckets", "Name"),
    ("role", "iam", "list_roles", "Roles", "RoleName"),
    ("instance-profile", "iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
    ("function", "lambda", "list_functions", "Functions", "FunctionName"),
    ("layer", "lambda", "list_layers", "Layers", "LayerName"),
    ("log-group", "logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("secret", "secretsmanager", "list_secrets", "SecretList", "Name"),
    ("parameter", "ssm", "describe_parameters", "Parameters", "Name"),
    ("load-balancer", "elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerName"),
    ("target-group", "elbv2", "describe_target_groups", "TargetGroups", "TargetGroupName"),
    ("scaling-group", "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName"),
    ("launch-template", "ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateName"),
    ("network", "ec2", "describe_vpcs", "Vpcs", "VpcId"),
    ("subnet", "ec2", "describe_subnets", "Subnets", "SubnetId"),
    ("security-group", "ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("endpoint", "ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
]


def pages(service, operation):
    client = boto3.client(service)
    if client.can_paginate(operation):
        yield from client.get_paginator(operation).paginate()
    else:
        yield getattr(client, operation)()


def main():
    for kind, service, operation, members, name in KINDS:
        for page in pages(service, operation):
            for member in page.get(members, []):
                if kind == "stack" and member["StackStatus"] == "DELETE_COMPLETE":
                    continue
                print(kind, member[name])
    policies = boto3.client("iam").get_paginator("list_policies").paginate(Scope="Local")
    for page in policies:
        for policy in page["Policies"]:
            print("policy", policy["PolicyName"])


if __name__ == "__main__":
    main()

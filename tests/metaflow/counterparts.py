"""What the outputs of the stack name, in the AWS that the client talks to: the emulator of stacks has no jobs to run."""

import json

import boto3

KINDS = {"BatchJobQueueFargate": "FARGATE", "BatchJobQueueEc2": "EC2"}


def name_of(arn):
    return arn.rpartition("/")[2]


def make(url, outputs, configuration):
    """Makes bucket, table, roles and queues; their ARNs are those that the stack tells."""
    session = boto3.Session(aws_access_key_id="AKIAFIXTUREFIXTURE00", aws_secret_access_key="x", region_name="us-east-1")
    client = lambda service: session.client(service, endpoint_url=url)  # noqa: E731
    bucket = configuration["METAFLOW_DATASTORE_SYSROOT_S3"].removeprefix("s3://").partition("/")[0]
    client("s3").create_bucket(Bucket=bucket)
    client("dynamodb").create_table(
        TableName=configuration["METAFLOW_SFN_DYNAMO_DB_TABLE"],
        KeySchema=[{"AttributeName": "pathspec", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pathspec", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    log_group = configuration["METAFLOW_SFN_EXECUTION_LOG_GROUP_ARN"].split(":")[6]
    client("logs").create_log_group(logGroupName=log_group)
    iam = client("iam")

    def role(arn, service):
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        made = iam.create_role(RoleName=name_of(arn), AssumeRolePolicyDocument=document)["Role"]["Arn"]
        assert made == arn, (made, arn)

    for setting, service in (
        ("METAFLOW_ECS_S3_ACCESS_IAM_ROLE", "ecs-tasks"),
        ("METAFLOW_ECS_FARGATE_EXECUTION_ROLE", "ecs-tasks"),
        ("METAFLOW_SFN_IAM_ROLE", "states"),
        ("METAFLOW_EVENTS_SFN_ACCESS_IAM_ROLE", "events"),
    ):
        role(configuration[setting], f"{service}.amazonaws.com")
    iam.create_role(RoleName="instances", AssumeRolePolicyDocument="{}")
    profile = iam.create_instance_profile(InstanceProfileName="instances")["InstanceProfile"]["Arn"]
    iam.add_role_to_instance_profile(InstanceProfileName="instances", RoleName="instances")
    # moto asks for a service's role where AWS has one of its own.
    service_role = iam.create_role(RoleName="batch", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    ec2, batch = client("ec2"), client("batch")
    subnets = [it["SubnetId"] for it in ec2.describe_subnets()["Subnets"]][:2]
    groups = [ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]]
    for output, kind in KINDS.items():
        resources = {"type": kind, "maxvCpus": 4, "subnets": subnets, "securityGroupIds": groups}
        if kind == "EC2":
            resources |= {"minvCpus": 0, "instanceTypes": ["optimal"], "instanceRole": profile}
        environment = batch.create_compute_environment(
            computeEnvironmentName=kind, type="MANAGED", state="ENABLED", computeResources=resources, serviceRole=service_role
        )
        queue = batch.create_job_queue(
            jobQueueName=name_of(outputs[output]),
            state="ENABLED",
            priority=1,
            computeEnvironmentOrder=[{"order": 1, "computeEnvironment": environment["computeEnvironmentArn"]}],
        )
        assert queue["jobQueueArn"] == outputs[output], (queue["jobQueueArn"], outputs[output])
    return client

"""A deployment's calls where all goes well, and what was answered, as JSON: for two servers that have to agree.

What has to differ (ids, times, ports, who is asked) is replaced by what it stands for, and members without a value are
left out, as boto3 does with those that are not sent at all.
"""

import json
import re
import sys
import time

import boto3
from botocore.exceptions import ClientError

cloudformation = boto3.client("cloudformation")
ANSWERS = {}
WAIT = {"Delay": 1, "MaxAttempts": 60}

# Patterns of what has to differ, and what stands for it.
SUBSTITUTES = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"https?://[^/]+/"), "<host>/"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)"), "<time>"),
]


def plain(value):
    """A value without what has to differ; lists of members with a name are sorted by it."""
    if isinstance(value, dict):
        members = {name: plain(member) for name, member in value.items() if name != "ResponseMetadata"}
        return {name: member for name, member in members.items() if member not in ("", [], {})}
    if isinstance(value, list):
        members = [plain(member) for member in value]
        return sorted(members, key=lambda member: json.dumps(key(member), sort_keys=True))
    if hasattr(value, "isoformat"):
        return "<time>"
    if isinstance(value, str):
        for pattern, substitute in SUBSTITUTES:
            value = pattern.sub(substitute, value)
    return value


def key(member):
    if isinstance(member, dict):
        for name in ("LogicalResourceId", "OutputKey", "ParameterKey", "Key", "Name", "StackName"):
            if name in member:
                return [member[name], member.get("ResourceStatus", "")]
        if "ResourceChange" in member:
            return member["ResourceChange"]["LogicalResourceId"]
    return member


def ask(step, call, **arguments):
    """Calls, and keeps the answer or the error under the step's name."""
    assert step not in ANSWERS, step
    try:
        answer = call(**arguments)
    except ClientError as error:
        ANSWERS[step] = {"Error": plain(error.response["Error"])}
        return {}
    body = answer.get("Body")
    if hasattr(body, "read"):
        answer["Body"] = body.read().decode()
    ANSWERS[step] = plain(answer)
    return answer


def wait(waiter, **arguments):
    cloudformation.get_waiter(waiter).wait(**arguments, WaiterConfig=WAIT)


def queue(**properties):
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def template(resources, **outputs):
    return json.dumps({"Description": "two servers", "Resources": resources, "Outputs": outputs})


def identity_and_storage():
    ask("identity", boto3.client("sts").get_caller_identity)
    ssm = boto3.client("ssm")
    ask("parameter-missing", ssm.get_parameter, Name="/no/such")
    ssm.put_parameter(Name="/app/name", Value="jobs", Type="String")
    ask("parameter", ssm.get_parameter, Name="/app/name")
    s3, owner = boto3.client("s3"), {"ExpectedBucketOwner": "123456789012"}
    s3.create_bucket(Bucket="assets-of-app", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    ask("bucket", s3.get_bucket_location, Bucket="assets-of-app", **owner)
    ask("object-missing", s3.head_object, Bucket="assets-of-app", Key="none", **owner)
    ask("object-put", s3.put_object, Bucket="assets-of-app", Key="one", Body=b"text", **owner)
    ask("object-get", s3.get_object, Bucket="assets-of-app", Key="one", **owner)
    ask("object-list", s3.list_objects_v2, Bucket="assets-of-app", **owner)
    ask("object-delete", s3.delete_object, Bucket="assets-of-app", Key="one", **owner)
    ask("bucket-missing", s3.list_objects_v2, Bucket="no-such-bucket-of-app")


def change(step, stack, kind, body, **more):
    """A change set from its making to the end of its execution."""
    named = {"StackName": stack, "ChangeSetName": step}
    made = cloudformation.create_change_set(**named, ChangeSetType=kind, TemplateBody=body, **more)
    wait("change_set_create_complete", **named)
    ask(f"{step}-made", cloudformation.describe_change_set, **named)
    if kind == "CREATE":
        ask(f"{step}-in-review", cloudformation.describe_stacks, StackName=stack)
    cloudformation.execute_change_set(ChangeSetName=made["Id"], ClientRequestToken=step)
    wait(f"stack_{kind.lower()}_complete", StackName=stack)
    ask(f"{step}-stack", cloudformation.describe_stacks, StackName=stack)
    events(step, made["StackId"])


def events(step, stack):
    """The last events of a stack, which are the last status of each resource."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    found = [event for page in pages for event in page["StackEvents"] if event.get("ClientRequestToken") == step]
    statuses = {(event["LogicalResourceId"], event["ResourceStatus"]) for event in found}
    ANSWERS[f"{step}-events"] = sorted(f"{resource} {status}" for resource, status in statuses)


def stacks():
    ask("stack-missing", cloudformation.describe_stacks, StackName="exporting")
    jobs = {"Value": {"Fn::GetAtt": ["Jobs", "Arn"]}, "Export": {"Name": "exporting-jobs"}}
    more = {"Tags": [{"Key": "team", "Value": "blue"}], "Description": "first"}
    body = template({"Jobs": queue(QueueName="jobs"), "Old": queue(QueueName="old")}, Jobs=jobs)
    change("first", "exporting", "CREATE", body, **more)
    ask("template", cloudformation.get_template, StackName="exporting")
    ask("resources", cloudformation.list_stack_resources, StackName="exporting")
    ask("resource", cloudformation.describe_stack_resource, StackName="exporting", LogicalResourceId="Jobs")
    ask("summary", cloudformation.get_template_summary, StackName="exporting")
    ask("exports", cloudformation.list_exports)

    reads = template({"Copy": queue(QueueName="copy", Tags=[{"Key": "of", "Value": {"Fn::ImportValue": "exporting-jobs"}}])})
    change("importer", "importing", "CREATE", reads)
    ask("imports", cloudformation.list_imports, ExportName="exporting-jobs")

    changed = {"Jobs": queue(QueueName="jobs", VisibilityTimeout=60), "New": queue(QueueName="new")}
    change("second", "exporting", "UPDATE", template(changed, Jobs=jobs), Tags=more["Tags"])

    named = {"StackName": "exporting", "ChangeSetName": "empty"}
    cloudformation.create_change_set(
        **named, ChangeSetType="UPDATE", TemplateBody=template(changed, Jobs=jobs), Tags=more["Tags"]
    )
    until(lambda: cloudformation.describe_change_set(**named)["Status"] == "FAILED")
    ask("empty", cloudformation.describe_change_set, **named)
    ask("empty-deleted", cloudformation.delete_change_set, **named)
    ask("change-sets", cloudformation.list_change_sets, StackName="exporting")

    ask("update-of-nothing", cloudformation.create_change_set, StackName="none", ChangeSetName="no", TemplateBody=reads)
    cloudformation.update_termination_protection(StackName="importing", EnableTerminationProtection=True)
    ask("protected", cloudformation.delete_stack, StackName="importing")
    cloudformation.update_termination_protection(StackName="importing", EnableTerminationProtection=False)
    for name in ("importing", "exporting"):
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        cloudformation.delete_stack(StackName=name, ClientRequestToken=f"end-{name}")
        wait("stack_delete_complete", StackName=stack)
        ask(f"end-{name}-stack", cloudformation.describe_stacks, StackName=stack)
        events(f"end-{name}", stack)
    ask("gone", cloudformation.describe_stacks, StackName="exporting")


def until(done):
    for _ in range(100):
        if done():
            return
        time.sleep(0.1)
    raise AssertionError("it takes too long")


if __name__ == "__main__":
    identity_and_storage()
    stacks()
    json.dump(ANSWERS, sys.stdout, indent=1, sort_keys=True)

"""CloudFormation as boto3 uses it, with its own waiters, against the endpoint in AWS_ENDPOINT_URL."""

import json
import sys

import boto3
from botocore.exceptions import ClientError, WaiterError

WAIT = {"Delay": 1, "MaxAttempts": 60}
cloudformation = boto3.client("cloudformation")


def template(**queues):
    """A template with a queue for each name, and an export of the first."""
    resources = {
        name: {"Type": "AWS::SQS::Queue", "Properties": properties} for name, properties in queues.items()
    }
    first = next(iter(queues))
    outputs = {"Url": {"Value": {"Ref": first}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-url"}}}}
    return json.dumps({"Resources": resources, "Outputs": outputs})


def message(call, **arguments):
    """Code and message of a call that has to fail."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError(f"{call} did not fail")


def status(name):
    return cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]


def by_stack():
    body = template(Jobs={"VisibilityTimeout": 30})
    stack = cloudformation.create_stack(
        StackName="direct", TemplateBody=body, Tags=[{"Key": "team", "Value": "blue"}], ClientRequestToken="token-1"
    )["StackId"]
    cloudformation.get_waiter("stack_create_complete").wait(StackName="direct", WaiterConfig=WAIT)
    described = cloudformation.describe_stacks(StackName="direct")["Stacks"][0]
    assert described["StackId"] == stack and described["Tags"] == [{"Key": "team", "Value": "blue"}]
    assert described["Outputs"][0]["ExportName"] == "direct-url"
    assert message(cloudformation.create_stack, StackName="direct", TemplateBody=body)[0] == "AlreadyExistsException"
    code, text = message(
        cloudformation.update_stack, StackName="direct", TemplateBody=body, Tags=[{"Key": "team", "Value": "blue"}]
    )
    assert (code, text) == ("ValidationError", "No updates are to be performed.")
    cloudformation.update_stack(StackName="direct", TemplateBody=template(Jobs={"VisibilityTimeout": 60}))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="direct", WaiterConfig=WAIT)
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName="direct")
    events = [event for page in pages for event in page["StackEvents"]]
    assert events[0]["ResourceStatus"] == "UPDATE_COMPLETE" and events[-1]["ClientRequestToken"] == "token-1"
    kept = cloudformation.get_template(StackName="direct")["TemplateBody"]
    assert kept["Resources"]["Jobs"]["Properties"] == {"VisibilityTimeout": 60}
    assert cloudformation.describe_stack_resource(StackName="direct", LogicalResourceId="Jobs")
    summary = cloudformation.get_template_summary(StackName="direct")
    assert summary["ResourceTypes"] == ["AWS::SQS::Queue"]


def by_change_set():
    arguments = {"StackName": "planned", "ChangeSetName": "first"}
    made = cloudformation.create_change_set(**arguments, ChangeSetType="CREATE", TemplateBody=template(A={}, B={}))
    cloudformation.get_waiter("change_set_create_complete").wait(**arguments, WaiterConfig=WAIT)
    assert status("planned") == "REVIEW_IN_PROGRESS"
    described = cloudformation.describe_change_set(**arguments)
    assert [change["ResourceChange"]["Action"] for change in described["Changes"]] == ["Add", "Add"]
    assert described["ChangeSetId"] == made["Id"] and described["ExecutionStatus"] == "AVAILABLE"
    cloudformation.execute_change_set(**arguments, ClientRequestToken="go")
    cloudformation.get_waiter("stack_create_complete").wait(StackName="planned", WaiterConfig=WAIT)

    arguments["ChangeSetName"] = "second"
    changed = template(A={"QueueName": "new-name"})
    cloudformation.create_change_set(**arguments, ChangeSetType="UPDATE", TemplateBody=changed)
    cloudformation.get_waiter("change_set_create_complete").wait(**arguments, WaiterConfig=WAIT)
    changes = cloudformation.describe_change_set(**arguments, IncludePropertyValues=True)["Changes"]
    by_name = {change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"] for change in changes}
    assert by_name["A"]["Replacement"] == "True" and by_name["B"]["Action"] == "Remove"
    cloudformation.execute_change_set(**arguments)
    cloudformation.get_waiter("stack_update_complete").wait(StackName="planned", WaiterConfig=WAIT)
    assert cloudformation.list_change_sets(StackName="planned")["Summaries"] == []

    arguments["ChangeSetName"] = "empty"
    cloudformation.create_change_set(**arguments, ChangeSetType="UPDATE", TemplateBody=changed)
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(**arguments, WaiterConfig=WAIT)
        raise AssertionError("a change set without changes has to fail")
    except WaiterError as error:
        assert error.last_response["StatusReason"].startswith("The submitted information didn't contain changes.")
    cloudformation.delete_change_set(**arguments)


def exports():
    pages = cloudformation.get_paginator("list_exports").paginate()
    names = [export["Name"] for page in pages for export in page["Exports"]]
    assert names == ["direct-url", "planned-url"], names
    importer = {"Resources": {"Q": {"Type": "AWS::SNS::Topic", "Properties": {
        "DisplayName": {"Fn::ImportValue": "direct-url"}}}}}
    cloudformation.create_stack(StackName="importer", TemplateBody=json.dumps(importer))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="importer", WaiterConfig=WAIT)
    assert cloudformation.list_imports(ExportName="direct-url")["Imports"] == ["importer"]


def endings():
    failing = template(Doomed={}, Fine={})
    cloudformation.create_stack(StackName="doomed", TemplateBody=failing)
    try:
        cloudformation.get_waiter("stack_create_complete").wait(StackName="doomed", WaiterConfig=WAIT)
        raise AssertionError("a stack whose resource fails has to fail")
    except WaiterError:
        pass
    cloudformation.get_waiter("stack_rollback_complete")
    while status("doomed").endswith("IN_PROGRESS"):
        pass
    assert status("doomed") == "ROLLBACK_COMPLETE"
    events = cloudformation.describe_stack_events(StackName="doomed")["StackEvents"]
    reasons = [event.get("ResourceStatusReason", "") for event in events]
    assert any("on purpose" in reason for reason in reasons), reasons
    cloudformation.update_termination_protection(StackName="planned", EnableTerminationProtection=True)
    assert "TerminationProtection is enabled" in message(cloudformation.delete_stack, StackName="planned")[1]
    cloudformation.update_termination_protection(StackName="planned", EnableTerminationProtection=False)
    for name in ["importer", "direct", "planned", "doomed"]:
        cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=WAIT)
    code, text = message(cloudformation.describe_stacks, StackName="direct")
    assert (code, text) == ("ValidationError", "Stack with id direct does not exist")
    assert cloudformation.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]


if __name__ == "__main__":
    by_stack()
    by_change_set()
    exports()
    endings()
    sys.stdout.write("done\n")

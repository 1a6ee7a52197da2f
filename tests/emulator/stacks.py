"""Lists the stacks of the emulator, one a line: name, status, id, last change, digest of the template, events.

Two lists that are the same say that nothing happened to a stack. The region comes from the environment.
"""

import hashlib
import json

import boto3

cloudformation = boto3.client("cloudformation")


def digest(stack):
    template = cloudformation.get_template(StackName=stack["StackId"])["TemplateBody"]
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()


def events(stack):
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack["StackId"])
    return sum(len(page["StackEvents"]) for page in pages)


for page in cloudformation.get_paginator("describe_stacks").paginate():
    for stack in page["Stacks"]:
        changed = stack.get("LastUpdatedTime", stack["CreationTime"]).isoformat()
        marked = any(tag["Key"] == "formwork:owner" for tag in stack.get("Tags", []))
        fields = [stack["StackName"], stack["StackStatus"], "marked" if marked else "unmarked"]
        print(*fields, stack["StackId"], changed, digest(stack), events(stack))

"""Lists the stacks of the emulator, one a line: name, space, status. The region comes from the environment."""

import boto3

for page in boto3.client("cloudformation").get_paginator("describe_stacks").paginate():
    for stack in page["Stacks"]:
        print(stack["StackName"], stack["StackStatus"])

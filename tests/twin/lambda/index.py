"""A custom resource that owns one serverless MLflow app, and waits for it."""

import json
import time
import urllib.request

import boto3

FIELDS = ("Name", "ArtifactStoreUri", "RoleArn")


def handler(event, context):
    """Does what is asked for, and answers to CloudFormation whatever comes of it."""
    answer = {
        "Status": "SUCCESS",
        "PhysicalResourceId": event.get("PhysicalResourceId", "not-made"),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    try:
        answer |= reach(event)
    except Exception as error:  # whatever it is, CloudFormation waits for an answer
        answer |= {"Status": "FAILED", "Reason": f"{error}, see {context.log_stream_name}"}
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT", headers={"content-type": ""})
    urllib.request.urlopen(request, timeout=30).close()


def reach(event):
    sagemaker = boto3.client("sagemaker")
    settings = {name: event["ResourceProperties"][name] for name in FIELDS}
    if event["RequestType"] == "Create":
        arn = sagemaker.create_mlflow_app(**settings)["Arn"]
    else:
        arn = event["PhysicalResourceId"]
        if event["RequestType"] == "Update":
            del settings["RoleArn"]
            sagemaker.update_mlflow_app(Arn=arn, **settings)
        elif arn != "not-made":
            sagemaker.delete_mlflow_app(Arn=arn)
        else:
            return {}
    wait(sagemaker, arn)
    return {"PhysicalResourceId": arn, "Data": {"Arn": arn}}


def wait(sagemaker, arn):
    """Until the app is there, changed or gone."""
    while True:
        try:
            status = sagemaker.describe_mlflow_app(Arn=arn)["Status"]
        except sagemaker.exceptions.ResourceNotFound:
            return
        if status.endswith("Failed"):
            raise RuntimeError(f"{arn} is {status}")
        if status in ("Created", "Updated", "Deleted"):
            return
        time.sleep(1)

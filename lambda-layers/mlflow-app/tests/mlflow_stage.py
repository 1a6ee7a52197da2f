"""The stage: virtual time, a fake SageMaker behind the real boto3, a fake presigned URL."""

import uuid

from fake_sagemaker import ACCOUNT
from virtual_time import Context

from mlflow_app import handler, service

STACK_ID = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/mlflow/0d2c9b0e-0000-4000-8000-000000000001"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/artifacts"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/other"
PROPERTIES = {
    "ServiceToken": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:mlflow-app",
    "Name": "tracking",
    "ArtifactStoreUri": "s3://bucket/prefix",
    "RoleArn": ROLE,
}


class Stage:
    def __init__(self, clock, sagemaker, url):
        self.clock, self.sagemaker, self.url = clock, sagemaker, url
        self.seconds = 900
        self.context = None

    def event(self, kind, properties=None, **fields):
        event = {
            "RequestType": kind,
            "RequestId": str(uuid.uuid4()),
            "ResponseURL": self.url.url,
            "StackId": STACK_ID,
            "ResourceType": "Custom::MlflowApp",
            "LogicalResourceId": "App",
            "ResourceProperties": properties if properties is not None else PROPERTIES,
        }
        return event | fields

    def send(self, event):
        """Run the function on an event and give the answer that CloudFormation got."""
        self.context = Context(self.clock, self.seconds)
        handler.answer(event, self.context, service.client, self.clock)
        return self.url.answers[-1]

    def create(self, **changes):
        return self.send(self.event("Create", PROPERTIES | changes))

    def update(self, arn, old=None, new=None, **fields):
        old, new = PROPERTIES | (old or {}), PROPERTIES | (new or {})
        return self.send(
            self.event("Update", new, OldResourceProperties=old, PhysicalResourceId=arn, **fields)
        )

    def delete(self, physical_id, properties=None):
        return self.send(self.event("Delete", properties, PhysicalResourceId=physical_id))

"""The stage: virtual time, a fake SageMaker behind the real boto3, a fake presigned URL."""

import logging
import uuid

import pytest
from fake_cloudformation import FakeResponseUrl
from fake_sagemaker import ACCOUNT, FakeSageMaker

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


class VirtualClock:
    """Sleeping moves the time, nothing else does."""

    def __init__(self):
        self.time, self.sleeps = 1000.0, []

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.sleeps.append(seconds)
        self.time += seconds


class Context:
    """Lambda's context for one invocation."""

    log_stream_name = "2026/01/01/[$LATEST]abc"

    def __init__(self, clock, seconds):
        self._clock, self._end = clock, clock.now() + seconds

    def get_remaining_time_in_millis(self):
        return int((self._end - self._clock.now()) * 1000)


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


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def stage(clock, monkeypatch):
    sagemaker, url = FakeSageMaker(clock), FakeResponseUrl()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_SAGEMAKER": sagemaker.url,
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    yield Stage(clock, sagemaker, url)
    sagemaker.close()
    url.close()


@pytest.fixture(autouse=True)
def nothing_secret_is_written(caplog, capfd):
    """In every test: no log line, no output and no answer quotes the presigned URL."""
    caplog.set_level(logging.DEBUG)
    yield
    logged = "".join(map(caplog.handler.format, caplog.get_records("call")))
    out, err = capfd.readouterr()
    assert FakeResponseUrl.SECRET not in logged + out + err

"""What the tests of the MLflow app stand on."""

import logging

import pytest
from fake_cloudformation import FakeResponseUrl
from fake_sagemaker import FakeSageMaker
from mlflow_stage import Stage
from virtual_time import VirtualClock


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

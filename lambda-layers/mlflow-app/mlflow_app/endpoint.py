"""What an app's ARN tells: its id and where its MLflow API answers.

The service names no endpoint; clients derive it from the ARN, as the `sagemaker-mlflow` plugin does.
"""

import re

_APP_ARN = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:[0-9]{12}:mlflow-app/.+")
# The partitions that the plugin (0.3.0) knows; both use the same suffix. It refuses every other one, and no
# public page names an endpoint for China, the European Sovereign Cloud or the isolated regions.
_KNOWN_PARTITIONS = ("aws", "aws-us-gov")


def is_app_arn(text):
    """Whether a physical id names an app; anything else was never created."""
    return bool(_APP_ARN.fullmatch(text or ""))


def app_id(arn):
    """The id that the service gave to the app: the last part of its ARN."""
    return arn.split("/", 1)[1]


def endpoint(arn):
    """The URL of the app's MLflow API, or an empty string where none is publicly known."""
    _, partition, _, region, *_ = arn.split(":")
    return f"https://mlflow.sagemaker.{region}.app.aws" if partition in _KNOWN_PARTITIONS else ""

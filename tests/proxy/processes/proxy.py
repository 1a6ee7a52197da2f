"""The proxy under test, as its unit starts it: settings by environment, the identity of an instance."""

import socket
import time

from processes.child import Child, clean_environment, free_port
from processes.servers import ROOT
from verify.services import ROLE
from verify.state import ARNS, BASE_KEY, BASE_SECRET, REGION

SECRET = f"arn:aws:secretsmanager:{REGION}:111122223333:secret:users-AbCdEf"


def environment_for(verifier, mode, port, metrics, **more):
    """The settings of a proxy in front of the verifying servers; `None` takes a setting out."""
    settings = {
        "SM_MLFLOW_ROLE_ARN": ROLE,
        "SM_MLFLOW_AWS_REGION": REGION,
        "SM_MLFLOW_RESOURCE_ARN": ARNS[mode],
        "SM_MLFLOW_ARTIFACT_URI": ROOT,
        "SM_MLFLOW_ENDPOINT": verifier.url(mode),
        "MLFLOW_PROXY_LISTEN": f"127.0.0.1:{port}",
        "MLFLOW_PROXY_METRICS_LISTEN": f"127.0.0.1:{metrics}",
        "MLFLOW_PROXY_AUTH": "none",
        "MLFLOW_PROXY_ACCESS": "admin",
        "AWS_ACCESS_KEY_ID": BASE_KEY,
        "AWS_SECRET_ACCESS_KEY": BASE_SECRET,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": verifier.url("services"),
        "AWS_ENDPOINT_URL_STS": verifier.url("sts"),
        "AWS_ENDPOINT_URL_S3": verifier.url("storage"),
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": verifier.url("services"),
        "AWS_ENDPOINT_URL_SAGEMAKER": verifier.url("services"),
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": verifier.url("services"),
    }
    settings = {name: value for name, value in (settings | more).items() if value is not None}
    return clean_environment(**settings)


class Proxy(Child):
    """A running proxy on a port of its own."""

    def __init__(self, binary, verifier, folder, mode="tracking", before=None, wrapper=(), **settings):
        self.port, self.metrics_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        environment = environment_for(verifier, mode, self.port, self.metrics_port, TMPDIR=folder, **settings)
        command = [*wrapper, binary]
        super().__init__("proxy", command, environment, folder / f"proxy-{self.port}.log", before=before)
        self.until(self._listens, 30)

    def _listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def until_ready(self, limit=30):
        """Waits until it has credentials and whatever else it is ready with."""
        self.until_answers(self.url + "/readyz", limit)
        return self

    def settle(self, seconds=0.2):
        """Lets it notice what has just happened to its connections."""
        time.sleep(seconds)

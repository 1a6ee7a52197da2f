"""The servers behind the proxy: an emulator of S3, a real MLflow, and the servers that verify what reaches them."""

import json
import sys
import urllib.request
from pathlib import Path

from processes.child import Child, clean_environment, free_port
from verify.state import ACCOUNT, REGION

SOURCES = Path(__file__).resolve().parents[1]
LAUNCHER = SOURCES.parent / "emulator/launcher.py"
BUCKET = "mlflow-artifacts-bucket"
ROOT = f"s3://{BUCKET}/some/prefix"


class Emulator(Child):
    """S3, with its data on disk."""

    def __init__(self, python, folder):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        folder.mkdir(parents=True, exist_ok=True)
        environment = clean_environment(
            GATEWAY_PORT=port, BIND_HOST="127.0.0.1", MINISTACK_HOST="127.0.0.1", HOME=folder,
            TMPDIR=folder, S3_DATA_DIR=folder / "s3", S3_PERSIST=1, AWS_DEFAULT_REGION=REGION, LOG_LEVEL="WARNING",
        )  # fmt: skip
        super().__init__("emulator", [python, LAUNCHER], environment, folder / "emulator.log", folder, pipe=True)

    def until_ready(self):
        self.until_answers(self.url + "/_ministack/health")
        self.make_bucket(BUCKET)
        return self

    def make_bucket(self, name):
        authorization = f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20200101/{REGION}/s3/aws4_request, "
        request = urllib.request.Request(f"{self.url}/{name}", method="PUT")
        request.add_header("Authorization", authorization + "SignedHeaders=host, Signature=0")
        urllib.request.urlopen(request, timeout=10).close()


class Mlflow(Child):
    """A real MLflow as SageMaker runs it: no artifacts through the server, a bucket as root."""

    def __init__(self, python, database, folder, storage=None):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        folder.mkdir(parents=True, exist_ok=True)
        environment = clean_environment(HOME=folder, TMPDIR=folder, AWS_DEFAULT_REGION=REGION)
        command = [python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", 1]
        command += ["--backend-store-uri", database]
        if storage:
            # Identities of the emulator are accounts.
            environment |= {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "emulator"}
            environment |= {"MLFLOW_S3_ENDPOINT_URL": storage, "AWS_ENDPOINT_URL": storage}
            command += ["--no-serve-artifacts", "--default-artifact-root", ROOT]
        else:
            command += ["--serve-artifacts", "--artifacts-destination", folder / "artifacts"]
        super().__init__("MLflow", command, environment, folder / "mlflow.log", folder)

    def until_ready(self):
        self.until_answers(self.url + "/health", 300)
        return self


class Verifier(Child):
    """The verifying servers; `ports` has the port of each."""

    def __init__(self, mlflow, emulator, certificates, folder):
        self.mlflow = mlflow
        command = [sys.executable, SOURCES / "verify/main.py", mlflow, emulator, certificates.chain, certificates.key]
        super().__init__("verifier", command, clean_environment(TMPDIR=folder), folder / "verifier.log", pipe=True)
        self.ports = json.loads(self.line())

    def url(self, name):
        return f"http://127.0.0.1:{self.ports[name]}"

    def state(self):
        with urllib.request.urlopen(self.url("control"), timeout=30) as answer:
            return json.load(answer)

    def count(self, name):
        return self.state()["counts"].get(name, 0)

    def set(self, **settings):
        """Changes its settings (verify/state.py), or with `reset` and `revoke` its counts and sessions."""
        body = json.dumps(settings).encode()
        request = urllib.request.Request(self.url("control"), body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=30).close()

"""The stack of Metaflow, deployed by the command line to the emulator, and what its outputs make of the client."""

import json
import subprocess
from pathlib import Path

from processes.child import Child, clean_environment, free_port

LAUNCHER = Path(__file__).resolve().parents[1] / "emulator/launcher.py"
ACCOUNT, REGION = "123456789012", "us-east-1"
LIMIT = 300
CONTEXT = {
    "prefix": "team",
    "components": "metaflow",
    "metaflowCompute": "fargate,ec2",
    "metaflowApi": "public",
    "allowCidrs": "203.0.113.0/24",
    "metaflowPrincipals": f"arn:aws:iam::{ACCOUNT}:role/Scientists",
}


class Emulator(Child):
    """ministack with what our stacks need."""

    def __init__(self, python, folder):
        self.url = f"http://127.0.0.1:{free_port()}"
        folder.mkdir(parents=True)
        environment = clean_environment(
            GATEWAY_PORT=self.url.rpartition(":")[2], BIND_HOST="127.0.0.1", MINISTACK_HOST="127.0.0.1", HOME=folder,
            TMPDIR=folder, S3_DATA_DIR=folder / "s3", AWS_DEFAULT_REGION=REGION, LOG_LEVEL="WARNING",
        )  # fmt: skip
        super().__init__("emulator", [python, LAUNCHER], environment, folder / "emulator.log", folder, pipe=True)

    def until_ready(self):
        self.until_answers(self.url + "/_ministack/health")
        return self


class Stack:
    """Metaflow as it is deployed in the emulator."""

    def __init__(self, program, emulator, folder):
        self._program, self._emulator, self.folder = program, emulator, folder
        folder.mkdir(parents=True)

    def run(self, *words, home=None, check=True):
        """The command line, pointed at the emulator."""
        environment = clean_environment(
            AWS_ENDPOINT_URL=self._emulator.url, AWS_ACCESS_KEY_ID=ACCOUNT, AWS_SECRET_ACCESS_KEY="emulator",
            AWS_REGION=REGION, HOME=home or self.folder, AWS_CONFIG_FILE=self.folder / "none",
            AWS_SHARED_CREDENTIALS_FILE=self.folder / "none",
        )  # fmt: skip
        context = [word for key, value in CONTEXT.items() for word in ("-c", f"{key}={value}")]
        command = [str(word) for word in (self._program, *words, *context)]
        ended = subprocess.run(
            command, env=environment, cwd=self.folder, timeout=LIMIT, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        if check and ended.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {ended.returncode}: {ended.stderr[-3000:]}")
        return ended

    def deploy(self):
        self.run("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--yes")
        self.run("deploy", "--yes")
        return self

    def outputs(self):
        report = json.loads(self.run("outputs", "--json").stdout)
        (stack,) = [it for name, it in report["stacks"].items() if name.endswith("-metaflow")]
        return {name: it["value"] for name, it in stack["outputs"].items()}

    def configuration(self):
        return json.loads(self.run("metaflow", "config").stdout)

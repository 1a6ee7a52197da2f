"""Everything that one run needs, started once: the deployed stack, the client's AWS, and the metadata service."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import counterparts
from processes.child import Child, clean_environment, free_port
from real_service import RealService
from stack import REGION, Emulator, Stack

SOURCES = Path(__file__).resolve().parent
LIMIT = 600
# What the metadata service and S3 are called in the stack, and not here.
PLACES = ("METAFLOW_SERVICE_URL", "METAFLOW_SERVICE_INTERNAL_URL", "METAFLOW_S3_ENDPOINT_URL")


class Aws(Child):
    """The AWS of the client (aws.py)."""

    def __init__(self, folder):
        folder.mkdir(parents=True)
        port, self._calls = free_port(), folder / "calls.jsonl"
        self.url = f"http://127.0.0.1:{port}"
        environment = clean_environment(
            OWN_URL=self.url, BATCH_FOLDER=folder, HOME=folder, AWS_DEFAULT_REGION=REGION, AWS_ENDPOINT_URL=self.url,
            AWS_ACCESS_KEY_ID="AKIAMACHINEMACHINE00", AWS_SECRET_ACCESS_KEY="x", MOTO_PORT=port,
        )  # fmt: skip
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        command = [sys.executable, SOURCES / "aws.py", port, self._calls]
        super().__init__("moto", command, environment, folder / "moto.log", folder)
        self.folder = folder

    def calls(self):
        """Who called what, as (caller, service, operation)."""
        lines = self._calls.read_text().splitlines() if self._calls.exists() else []
        return {tuple(json.loads(line)[name] for name in ("caller", "service", "operation")) for line in lines}

    def logs_of_jobs(self):
        return {path.stem: path.read_text(errors="replace") for path in self.folder.glob("*.log")}


class Service(Child):
    """The metadata service of service.py, on a port inside and one that stands for the API."""

    def __init__(self, key, folder):
        self.inside, self.outside = free_port(), free_port()
        environment = clean_environment(SERVICE_KEY=key)
        command = [sys.executable, SOURCES / "service.py", self.inside, self.outside]
        super().__init__("metadata service", command, environment, folder / "service.log")


class Setting:
    """The programs of a run. Use it in a `with`: they end with it."""

    sources = SOURCES

    def __init__(self, program, emulator_python, keep=None):
        self._program, self._python = program, emulator_python
        self._keep, self._stack = keep, ExitStack()
        self.folder = Path(keep) if keep else Path(tempfile.mkdtemp(prefix="formwork-metaflow-"))
        self.home = self.folder / "home"

    def __enter__(self):
        try:
            self.home.mkdir(parents=True)
            emulator = self._stack.enter_context(Emulator(self._python, self.folder / "emulator"))
            self.aws = self._stack.enter_context(Aws(self.folder / "aws"))
            emulator.until_ready()
            self.stack = Stack(self._program, emulator, self.folder / "project").deploy()
            with ThreadPoolExecutor() as pool:
                outputs, configuration = pool.submit(self.stack.outputs), pool.submit(self.stack.configuration)
                self.outputs, self.told = outputs.result(), configuration.result()
            self.aws.until_answers(self.aws.url + "/moto-api/data.json")
            self.client = counterparts.make(self.aws.url, self.outputs, self.told)
            self._begin_service()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _begin_service(self):
        source = os.environ.get("FORMWORK_METAFLOW_SERVICE_SOURCE")
        if source:
            self.service = self._stack.enter_context(RealService(source, self.folder))
        else:
            key = self.told["METAFLOW_SERVICE_AUTH_KEY"]
            self.service = self._stack.enter_context(Service(key, self.folder))
        self.service.until_answers(f"http://127.0.0.1:{self.service.inside}/ping")

    def __exit__(self, *_):
        self._stack.close()
        if not self._keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def calls_of_client_and_jobs(self):
        return {call for call in self.aws.calls() if call[0] in ("client", "job")}

    def configuration(self):
        """What the command line tells, with the places where things are here."""
        here = {
            "METAFLOW_SERVICE_URL": f"http://127.0.0.1:{self.service.outside}",
            "METAFLOW_SERVICE_INTERNAL_URL": f"http://127.0.0.1:{self.service.inside}",
            "METAFLOW_S3_ENDPOINT_URL": self.aws.url,
        }
        assert set(here) == set(PLACES)
        return self.told | here

    def environment(self, **more):
        """That of somebody who runs flows: nothing of Metaflow but where its configuration is."""
        own = clean_environment(
            HOME=self.home, METAFLOW_HOME=self.home / "metaflow", USERNAME="tester", AWS_ACCESS_KEY_ID="AKIACLIENTCLIENT0000",
            AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION=REGION, AWS_ENDPOINT_URL=self.aws.url,
        )  # fmt: skip
        own["PATH"] = f"{Path(sys.executable).parent}:{own['PATH']}"
        return own | more

    def run(self, *words, check=True, **more):
        """A program of somebody who runs flows; what it says."""
        ended = subprocess.run(
            [str(word) for word in words], env=self.environment(**more), cwd=self.home, timeout=LIMIT,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if check and ended.returncode:
            jobs = "\n".join(text[-1500:] for name, text in self.aws.logs_of_jobs().items() if name != "moto")
            words = " ".join(map(str, words))
            raise RuntimeError(f"{words} ended with {ended.returncode}: {ended.stdout[-3000:]}\n{jobs[-3000:]}")
        return ended.stdout if check else ended

    def flow(self, name, *words, **more):
        return self.run(sys.executable, SOURCES / f"flows/{name}.py", "--no-pylint", *words, **more)

    def python(self, text):
        """What a program that uses the client's library prints, as JSON."""
        return json.loads(self.run(sys.executable, "-c", text).splitlines()[-1])

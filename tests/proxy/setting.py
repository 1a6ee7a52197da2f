"""Everything that one run needs, started once: database, storage, MLflow, the verifying servers, and proxies at need."""

import json
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

from processes.certificates import Certificates
from processes.child import clean_environment
from processes.postgres import Postgres
from processes.proxy import SECRET, Proxy
from processes.servers import Emulator, Mlflow, Verifier
from verify.services import ROLE
from verify.state import ARNS, BASE_KEY, BASE_SECRET, REGION

SOURCES = Path(__file__).resolve().parent
CLIENT_LIMIT = 1200


class Setting:
    """The servers of a run. Use it in a `with`: they end with it."""

    secret, sources = SECRET, SOURCES

    def __init__(self, pythons, emulator_python, binary, keep=None):
        self.pythons, self.binary = pythons, binary
        self.folder = Path(keep) if keep else Path(tempfile.mkdtemp(prefix="formwork-proxy-"))
        self.certificates = Certificates(self.folder / "certificates")
        self._keep, self._stack, self._emulator_python = keep, ExitStack(), emulator_python
        self._begun, self._upstreams = {}, {}

    def __enter__(self):
        try:
            # It starts while the database does.
            self.emulator = self._stack.enter_context(Emulator(self._emulator_python, self.folder / "storage"))
            self.postgres = self._stack.enter_context(Postgres(self.folder / "postgres.log"))
            self.emulator.until_ready()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_):
        self._stack.close()
        if not self._keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def begin_mlflow(self, version, serves_artifacts=False):
        """Starts an MLflow without waiting for it."""
        name = f"{version}-direct" if serves_artifacts else version
        database = self.postgres.database(name)
        storage = None if serves_artifacts else self.emulator.url
        server = Mlflow(self.pythons[version], database, self.folder / f"mlflow-{name}", storage)
        self._stack.enter_context(server)
        return server

    def begin(self, version):
        """Starts the MLflow of an upstream, so that it is ready when it is asked for."""
        if version not in self._begun:
            self._begun[version] = self.begin_mlflow(version)

    def upstream(self, version):
        """The verifying servers in front of a version of MLflow."""
        if version not in self._upstreams:
            self.begin(version)
            mlflow = self._begun[version].until_ready()
            verifier = Verifier(mlflow.url, self.emulator.url, self.certificates, self.folder)
            self._upstreams[version] = self._stack.enter_context(verifier)
        return self._upstreams[version]

    def another_verifier(self, version):
        """Verifying servers of their own in front of the same MLflow, for what is tested at the same time."""
        verifier = Verifier(self.upstream(version).mlflow, self.emulator.url, self.certificates, self.folder)
        return self._stack.enter_context(verifier)

    def proxy(self, verifier, mode="tracking", **more):
        """A proxy of the run, on a port of its own; it ends with its `with`."""
        return Proxy(self.binary, verifier, self.folder, mode, **more)

    def client(self, version, plan, identity=None):
        """Runs suites with a version's client and gives the outcomes by label."""
        home = Path(tempfile.mkdtemp(dir=self.folder, prefix="client-"))
        environment = clean_environment(HOME=home, TMPDIR=home, **(identity or {}))
        command = [self.pythons[version], SOURCES / "client/main.py", *(["--with-identity"] if identity else [])]
        with open(home / "said.log", "wb") as log:
            ended = subprocess.run(
                [str(word) for word in command], input=json.dumps(plan).encode(), stdout=subprocess.PIPE, stderr=log,
                env=environment, cwd=home, timeout=CLIENT_LIMIT,
            )  # fmt: skip
        if ended.returncode:
            raise RuntimeError(f"the client {version} failed: {(home / 'said.log').read_text()[-2000:]}")
        answers = [json.loads(line) for line in ended.stdout.splitlines()]
        return {answer["label"]: answer["outcomes"] for answer in answers}

    @staticmethod
    def plugin_identity(verifier, mode):
        """The environment in which AWS's own plugin asks the verifying servers."""
        return {
            "AWS_ACCESS_KEY_ID": BASE_KEY,
            "AWS_SECRET_ACCESS_KEY": BASE_SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL_STS": verifier.url("sts"),
            "SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT": verifier.url(mode),
            "SAGEMAKER_MLFLOW_ASSUME_ROLE_ARN": ROLE,
        }

    def states(self):
        """What the verifying servers have counted, by version of MLflow."""
        return {version: verifier.state() for version, verifier in self._upstreams.items()}

    @staticmethod
    def arn(mode):
        return ARNS[mode]

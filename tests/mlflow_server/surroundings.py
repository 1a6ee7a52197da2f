"""What stands around the task: a database that asks for TLS and a password, a bucket, and programs where an image has them."""

import contextlib
import os
import sys
from pathlib import Path

from database import Database
from processes.certificates import Certificates
from processes.child import free_port
from processes.servers import BUCKET, Emulator
from task import Task
from verify.state import ACCOUNT, REGION

# Characters that break addresses, shells and files of settings, if they get into one.
DATABASE_PASSWORD = """p#a/b@c%41 "'\\:?&+[]{}<>=;!"""
ADMINISTRATOR_PASSWORD = """A#/@%41 "'\\?&+[]{}<>=;!$HOME `id`"""
CURRENT = []


class Surroundings:
    """All of it, ended when a `with` ends."""

    def __init__(self, template, emulator_python, drivers, folder):
        self.template, self.emulator_python, self.folder = template, emulator_python, folder
        # A folder with the driver that MLflow's image has.
        self.drivers = drivers
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        with self.stack:
            certificates = Certificates(self.folder / "certificates")
            database = Database(self.folder / "postgres.log", certificates, DATABASE_PASSWORD)
            self.postgres = self.stack.enter_context(database)
            storage = Emulator(self.emulator_python, self.folder / "storage")
            self.storage = self.stack.enter_context(storage).until_ready()
            self.stack = self.stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def task(self, port):
        """The task whose server listens on a port."""
        places = {
            "AWS::Region": REGION,
            "ServerDatabaseInstance.Endpoint.Address": "127.0.0.1",
            "ServerDatabaseInstance.Endpoint.Port": str(self.postgres.port),
            "ServerLoadBalancer.DNSName": f"127.0.0.1:{port}",
            "ServerArtifactsBucket": BUCKET,
        }
        secrets = {
            "PGPASSWORD": DATABASE_PASSWORD,
            "MLFLOW_AUTH_ADMIN_PASSWORD": ADMINISTRATOR_PASSWORD,
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "0123456789abcdefghijklmnopqrstuv",
        }
        return Task(self.template, places, secrets)

    def variables(self, folder):
        """What a task on AWS has of its role and its image."""
        return {
            # Where this Python is, there are `python` and `mlflow`, as in the image.
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": self.drivers,
            "MLFLOW_AUTH_CONFIG_PATH": folder / "auth.ini",
            "AWS_ENDPOINT_URL": self.storage.url,
            "MLFLOW_S3_ENDPOINT_URL": self.storage.url,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "emulator",
        }

    def prepare(self, name):
        """The first container of a task, started."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return self.task(0).start("prepare", folder, folder / "prepare.log", **self.variables(folder))

    def serve(self, name):
        """The server of a task, ready. Its URL is in `url`."""
        port = free_port()
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        replaced = {"5000": str(port), "0.0.0.0": "127.0.0.1"}
        server = self.task(port).start("main", folder, folder / "main.log", replaced.items(), **self.variables(folder))
        server.url = f"http://127.0.0.1:{port}"
        try:
            server.until_answers(server.url + "/health")
        except BaseException:
            server.stop()
            raise
        return server

"""What the parts share: a database with a password and TLS, an emulator of S3, and kits written by the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

from processes.certificates import Certificates
from processes.child import Child, clean_environment
from processes.servers import Emulator
from secured import Database

# The user that stands in for root in a kit (apps/kits/src/kit.rs).
KIT_USER = 10001


def as_kit_user():
    """Lets a child run as the owner of a kit's secrets, where that is another one than ours."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(KIT_USER)
        os.setuid(KIT_USER)


class Setting:
    """Use it in a `with`."""

    def __init__(self, formwork, emulator_python, psycopg2, folder):
        self.formwork, self.folder, self.psycopg2 = formwork, folder, psycopg2
        self.programs = Path(sys.executable).parent
        self.certificates = Certificates(folder / "certificates")
        os.chmod(self.certificates.key, 0o644)
        self.database = Database(folder / "postgres.log", self.certificates)
        try:
            self.emulator = Emulator(emulator_python, folder / "emulator").until_ready()
        except BaseException:
            self.database.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.emulator.stop()
        self.database.stop()

    def kit(self, name, place, *flags, expect=0):
        """Writes a kit, and gives its folder and the report."""
        folder = self.folder / place
        command = [self.formwork, "kit", name, "--out", folder, "--json", *flags]
        environment = clean_environment(HOME=self.folder)
        done = subprocess.run([str(it) for it in command], env=environment, capture_output=True, text=True, timeout=60)
        if done.returncode != expect:
            raise RuntimeError(f"formwork kit {name} ended with {done.returncode}: {done.stderr}")
        return folder, json.loads(done.stdout) if expect == 0 else done.stderr

    def environment(self, scratch, **more):
        """The environment of a kit's program: the programs that its image has, and nothing of ours."""
        path = f"{self.programs}:{os.environ['PATH']}"
        usual = {"PATH": path, "PYTHONPATH": self.psycopg2, "HOME": scratch, "MLFLOW_KIT_SCRATCH": scratch}
        return clean_environment(**usual | {"AWS_DEFAULT_REGION": "us-east-1"} | more)

    def scratch(self, name):
        """A folder for what a program writes while it runs, which is the kit user's."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(folder, KIT_USER, KIT_USER)
        return folder

    def log(self, name):
        """A file for output, which programs open again by the name of their output, as a container's may."""
        path = self.folder / f"{name}.log"
        path.touch()
        os.chmod(path, 0o666)
        return path

    def start(self, name, command, environment, scratch, before=None):
        """Starts a program of a kit. Python may lie where only we reach it, so that it runs as we do."""
        return Child(name, command, environment, self.log(name), scratch, before=before)

"""What the verifying servers know and count, and the faults that a test asks of them."""

import secrets
import time
from collections import Counter

from verify.signature import Session

BASE_KEY = "AKIABASE000000000000"
BASE_SECRET = "base+secret/of=the=instance=role"
REGION = "us-east-1"
ACCOUNT = "111122223333"
ARNS = {
    "tracking": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:mlflow-tracking-server/demo",
    "app": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:mlflow-app/app-ABCDEF123456",
}
ROUTING = {"tracking": "x-mlflow-sm-tracking-server-arn", "app": "x-sm-mlflow-app-arn"}
SERVICES = {"tracking": "sagemaker-mlflow", "app": "sagemaker"}

# How many refusals are kept with their words.
KEPT = 50

SETTINGS = {
    # Seconds that new sessions live.
    "session_seconds": 3600,
    # Seconds that MLflow's clock is ahead.
    "skew": 0,
    # The users' secret, or nothing while it has no version.
    "secret": None,
    # {"kind": "status", "status": 503, "times": 1, "headers": {}, "body": ""}; other kinds: see faults.py.
    "mlflow": None,
    # {"code": "Throttling", "status": 400, "delay": 0, "times": 1}
    "sts": None,
    "storage": None,
}


class State:
    """Everything that is shared by the servers of one run."""

    def __init__(self):
        self.settings = dict(SETTINGS)
        self.counts = Counter()
        self.refusals = []
        self.logged = []
        # Answers of many bytes that somebody still takes.
        self.streams = 0
        self._base = {BASE_KEY: Session(BASE_SECRET)}
        self._assumed = {}

    def sessions(self, kind):
        """Who may ask: the instance role, or those who have assumed MLflow's."""
        return self._base if kind == "base" else self._assumed

    def assume(self):
        """A new session: its access key and itself. Its token is long and has what headers and forms escape."""
        key = "ASIA" + secrets.token_hex(8).upper()
        expires = time.time() + self.settings["session_seconds"]
        session = Session(secrets.token_urlsafe(30) + "/+", secrets.token_urlsafe(1200) + "/+==", expires)
        self._assumed[key] = session
        return key, session

    def refuse(self, request, refused):
        self.counts["refused"] += 1
        self.counts[f"refused {refused.code}"] += 1
        self.refusals.append([request.method, request.target[:300], refused.code, refused.message[:2000]])
        del self.refusals[:-KEPT]

    def fault(self, name):
        """The fault that the next request meets, if any is left."""
        fault = self.settings[name]
        if not fault:
            return None
        if "times" in fault:
            if fault["times"] <= 0:
                return None
            fault["times"] -= 1
        return fault

    def change(self, wanted):
        unknown = wanted.keys() - SETTINGS.keys() - {"revoke", "reset"}
        if unknown:
            raise KeyError(f"no such settings: {sorted(unknown)}")
        if wanted.pop("revoke", False):
            self._assumed.clear()
        if wanted.pop("reset", False):
            self.counts.clear()
            self.refusals.clear()
            self.logged.clear()
            self.settings = dict(SETTINGS) | {"secret": self.settings["secret"]}
        self.settings.update(wanted)

    def shown(self):
        return {"counts": dict(self.counts), "refusals": self.refusals, "logged": self.logged, "streams": self.streams}

"""Checks of one real client: named functions that share a session, run in their order, each with an outcome of its own."""

import logging
import os
import re
import time
import traceback
import uuid

REGISTERED = []


class Missing(Exception):
    """The client's version does not have what a check wants to use."""


def check(name, suites=("all",)):
    """Registers a check: a function of a `Session` that raises when something is wrong."""

    def register(function):
        REGISTERED.append((name, frozenset(suites), function))
        return function

    return register


class Session:
    """A client at one address as one user, and what earlier checks have made."""

    def __init__(self, url, token=None, size=1):
        import mlflow

        self.url, self.token, self.size = url, token, size
        os.environ.pop("MLFLOW_TRACKING_TOKEN", None)
        if token:
            os.environ["MLFLOW_TRACKING_TOKEN"] = token
        mlflow.set_tracking_uri(url)
        mlflow.set_registry_uri(url)
        self.mlflow = mlflow
        self.client = mlflow.MlflowClient(url, url)
        # Names of this session begin with it, since many share a server.
        self.mark = uuid.uuid4().hex[:8]

    def headers(self):
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def run(self, suite, only=None):
        """The outcomes: name, ok, missing or failed, words, seconds."""
        self.suite, outcomes = suite, []
        for name, suites, function in REGISTERED:
            if suite not in suites or (only and not re.search(only, name)):
                continue
            start = time.monotonic()
            try:
                function(self)
                outcome, words = "ok", ""
            except Missing as missing:
                outcome, words = "missing", str(missing)
            except Exception as error:  # noqa: BLE001 - whatever a client raises is an outcome
                where = traceback.extract_tb(error.__traceback__)
                line = next((it.lineno for it in reversed(where) if "/client/" in it.filename), 0)
                outcome, words = "failed", f"line {line}: {type(error).__name__}: {error}"[:1200]
            seconds = round(time.monotonic() - start, 2)
            outcomes.append({"name": name, "outcome": outcome, "words": words, "seconds": seconds})
        return outcomes


def same(found, wanted):
    if found != wanted:
        raise AssertionError(f"{found!r} is not {wanted!r}")


def paged(ask):
    """All of a paged search; `ask` takes a page token."""
    found, token = [], None
    while True:
        page = ask(token)
        found += page
        token = page.token
        if not token:
            return found


def quiet():
    logging.disable(logging.WARNING)
    os.environ.update(MLFLOW_HTTP_REQUEST_MAX_RETRIES="1", MLFLOW_HTTP_REQUEST_TIMEOUT="300")
    os.environ.update(MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="false", MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false")

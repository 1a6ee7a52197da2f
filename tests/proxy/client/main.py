"""Runs suites of checks with the MLflow that this Python has. It has no identity of AWS, unless it is told so.

Standard input is a list of JSON: {"label", "suite", "url", "token", "size", "only"}; the answer is a line of JSON a suite.
"""

import importlib
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from client.checks import Session, quiet  # noqa: E402

# In the order of their checks: later ones use what earlier ones have made.
MODULES = ("tracking", "registry", "artifacts", "models", "genai", "browser", "roles")


def main():
    quiet()
    identity = [name for name in os.environ if name.startswith("AWS_") and name != "AWS_EC2_METADATA_DISABLED"]
    if identity and "--with-identity" not in sys.argv:
        raise SystemExit(f"the client must have no identity: {identity}")
    for module in MODULES:
        importlib.import_module(f"client.{module}")
    shared = {}
    # What libraries print does not belong into the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for wanted in json.load(sys.stdin):
        session = Session(wanted["url"], wanted.get("token"), wanted.get("size", 1))
        session.shared = shared
        shared.update(wanted.get("shared", {}))
        outcomes = session.run(wanted["suite"], wanted.get("only"))
        print(json.dumps({"label": wanted["label"], "outcomes": outcomes}), file=answers, flush=True)


if __name__ == "__main__":
    main()

"""Runs the cases of the wire against one proxy."""

import importlib
import re

from wire.connection import CASES, Wire

MODULES = ("targets", "bodies", "headers", "answers", "paths_of_files")


def run(proxy, verifier, only=None):
    """The outcomes of all cases, as those of client checks are."""
    for module in MODULES:
        importlib.import_module(f"wire.{module}")
    wire, outcomes = Wire(proxy, verifier), []
    for name, function in CASES:
        if only and not re.search(only, name):
            continue
        try:
            function(wire)
            outcome, words = "ok", ""
        except Exception as error:  # noqa: BLE001 - whatever is raised is an outcome
            outcome, words = "failed", f"{type(error).__name__}: {error}"[:600]
        outcomes.append({"name": name, "outcome": outcome, "words": words, "seconds": 0})
    return outcomes

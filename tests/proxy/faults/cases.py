"""Runs the faults, some at the same time: most of their time they wait."""

import importlib
import queue
import re
import time
from concurrent.futures import ThreadPoolExecutor

from faults.case import CASES, Missing

# Those with the longest cases first.
MODULES = ("transport", "clients", "credentials", "drain", "upstream", "storage", "limits", "users")
# How many run at the same time.
LANES = 4


def run(setting):
    """The outcomes of all faults."""
    for module in MODULES:
        importlib.import_module(f"faults.{module}")
    wanted = [it for it in CASES if not setting.only or re.search(setting.only, it.name)]
    # A case changes what its verifying servers do, and so has them for itself.
    free = queue.SimpleQueue()
    for _ in range(min(LANES, len(wanted))):
        free.put(setting.another_verifier("newest"))

    def meet_with_one(it):
        verifier = free.get()
        try:
            verifier.set(reset=True, secret=None)
            return meet(it, setting, verifier)
        finally:
            free.put(verifier)

    with ThreadPoolExecutor(LANES) as pool:
        return list(pool.map(meet_with_one, wanted))


def meet(case, setting, verifier):
    start = time.monotonic()
    try:
        case.function(setting, verifier)
        outcome, words = "ok", ""
    except Missing as missing:
        outcome, words = "missing", str(missing)
    except Exception as error:  # noqa: BLE001 - whatever is raised is an outcome
        outcome, words = "failed", f"{type(error).__name__}: {error}"[:800]
    seconds = round(time.monotonic() - start, 2)
    return {"name": case.name, "outcome": outcome, "words": words, "seconds": seconds}

"""Runs the faults, those that only wait at the same time."""

import importlib
import re
import time
from concurrent.futures import ThreadPoolExecutor

from faults.case import CASES, Missing

MODULES = ("credentials", "upstream", "storage", "clients", "limits", "drain", "users", "transport")


def run(setting):
    """The outcomes of all faults."""
    for module in MODULES:
        importlib.import_module(f"faults.{module}")
    verifier = setting.upstream("newest")
    wanted = [it for it in CASES if not setting.only or re.search(setting.only, it.name)]
    # A case of its own changes what all proxies share: the verifying servers' settings.
    alone = [it for it in wanted if not it.only_waits]
    together = [it for it in wanted if it.only_waits]
    outcomes, other = [], setting.another_verifier("newest") if together else None
    with ThreadPoolExecutor(max_workers=max(len(together), 1)) as pool:
        waiting = [pool.submit(meet, it, setting, other) for it in together]
        for it in alone:
            verifier.set(reset=True)
            outcomes.append(meet(it, setting, verifier))
        verifier.set(reset=True)
        outcomes += [it.result() for it in waiting]
    return outcomes


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

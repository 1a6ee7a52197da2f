"""The parts of a run, in their order."""

from dataclasses import dataclass
from typing import Callable

import roles
from faults.cases import run as run_faults
from wire.cases import run as run_wire

NEWEST = "newest"
# What a proxy may have in memory while files pass through it, in MB.
MOST_MEMORY = 100


class Failed(Exception):
    """A part could not do its work."""


class Left(Exception):
    """A part is left out, for a reason."""


@dataclass(frozen=True)
class Part:
    name: str
    run: Callable
    is_slow: bool = False


def outcome(name, words=""):
    return {"name": name, "outcome": "failed" if words else "ok", "words": words, "seconds": 0}


def refusals(verifier):
    """What the verifying servers have refused since they were asked last."""
    refused = verifier.state()["refusals"]
    verifier.set(reset=True)
    words = "; ".join(" ".join(map(str, it)) for it in refused[:3])
    return outcome("no request was refused for its signature", f"{len(refused)} refused: {words}" if refused else "")


def plugin(setting):
    """The verifying servers are no stricter than AWS: they refuse nothing that AWS's own plugin sends."""
    outcomes = []
    verifier = setting.upstream(NEWEST)
    setting.begin("3.10")
    for mode in ("tracking", "app"):
        verifier.set(reset=True)
        plan = [{"label": mode, "suite": "control", "url": setting.arn(mode), "only": setting.only}]
        outcomes += setting.client(NEWEST, plan, setting.plugin_identity(verifier, mode))[mode]
        asked = verifier.count(mode)
        outcomes.append(outcome(f"{mode}: the plugin's requests arrive", "" if asked > 20 else f"only {asked}"))
        outcomes.append(refusals(verifier))
    return outcomes


def through_proxy(setting, version, client, mode, suite, size):
    verifier = setting.upstream(version)
    verifier.set(reset=True)
    with setting.proxy(verifier, mode) as proxy:
        plan = [{"label": "all", "suite": suite, "url": proxy.url, "size": size, "only": setting.only}]
        outcomes = setting.client(client, plan)["all"]
        if client == NEWEST:
            # An older client may lack what a check uses; where this one does, the check has to follow it.
            lacking = [it for it in outcomes if it["outcome"] == "missing"]
            for it in lacking:
                it.update(outcome="failed", words=f"the client lacks {it['words']}")
        asked, stored, memory = verifier.count(mode), verifier.count("storage"), proxy.memory()
    outcomes.append(refusals(verifier))
    if not setting.only:
        outcomes.append(outcome("requests arrive at MLflow and at the bucket", "" if asked and stored else "none"))
    words = f"{memory:.0f} MB" if memory > MOST_MEMORY else ""
    outcomes.append(outcome(f"the proxy never has more than {MOST_MEMORY} MB in memory", words))
    print(f"                  a file of {size} MiB, the proxy's peak {memory:.0f} MB", flush=True)
    return outcomes


def tracking(setting):
    return through_proxy(setting, NEWEST, NEWEST, "tracking", "all", 1024 if setting.slow else 200)


def app(setting):
    return through_proxy(setting, NEWEST, NEWEST, "app", "short", 1)


def older(setting):
    return through_proxy(setting, "3.10", NEWEST, "tracking", "short", 1)


def wire(setting):
    verifier = setting.upstream(NEWEST)
    verifier.set(reset=True)
    with setting.proxy(verifier, MLFLOW_PROXY_ALLOWED_HOSTS="mlflow.example.com,127.0.0.1") as proxy:
        outcomes = run_wire(proxy, verifier, setting.only)
    return [*outcomes, refusals(verifier)]


def matrix(setting):
    import matrix as table

    return table.run(setting)


PARTS = [
    Part("AWS's own plugin against the verifying servers", plugin),
    Part("MLflow's client through the proxy, tracking server", tracking),
    Part("MLflow's client through the proxy, serverless app", app),
    Part("users and roles", roles.run),
    Part("cases of the wire", wire),
    Part("faults", run_faults),
    Part("MLflow's client through the proxy, MLflow 3.10", older),
    Part("versions of MLflow", matrix, is_slow=True),
]

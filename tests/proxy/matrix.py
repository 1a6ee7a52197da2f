"""Versions of MLflow against each other: each client through the proxy to each server, beside the same client without it.

A check passes where the outcome through the proxy is that without it: a client that is older or newer than its server
fails in ways of its own, and then has to be told the same words. The table goes into docs/proxy-compatibility.md.
"""

import re

SERVERS = ("3.0", "3.10", "newest")
CLIENTS = ("2", "3.0", "3.10", "newest")
# Which checks (client/checks.py).
SUITE = "all"
BEGIN, END = "<!-- table: written by `cargo xtask proxy --slow` -->", "<!-- end of the table -->"


def release(setting, version):
    """The exact version, from the requirements that it was fetched by."""
    text = (setting.sources / f"requirements/{version}.txt").read_text()
    return re.search(r"^mlflow==(\S+)", text, re.MULTILINE)[1]


def lasting(words):
    """An error without what is another one in each run: addresses, identifiers, numbers."""
    return re.sub(r"https?://[^/\s]+|\b(tr-)?[0-9a-f]{8,}\b|\d+", "…", words)


def compare(direct, proxied):
    """The outcomes of a pair: a line for each check whose outcome through the proxy is worse than without it, or another."""
    worse, works, lacking = [], 0, []
    by_name = {it["name"]: it for it in direct}
    for outcome in proxied:
        name = outcome["name"]
        if outcome["outcome"] == "ok":
            works += 1
        elif by_name[name]["outcome"] == "ok":
            worse.append(f"{name}: {outcome['words']}")
        elif lasting(outcome["words"]) != lasting(by_name[name]["words"]):
            worse.append(f"{name}: {outcome['words']}, without the proxy: {by_name[name]['words']}")
        else:
            lacking.append(name)
    return works, lacking, worse


def run(setting):
    outcomes, rows = [], {}
    for server in SERVERS:
        verifier = setting.upstream(server)
        control = setting.begin_mlflow(server, serves_artifacts=True).until_ready()
        verifier.set(reset=True)
        with setting.proxy(verifier) as proxy:
            for client in CLIENTS:
                plan = [
                    {"label": "direct", "suite": SUITE, "url": control.url, "size": 1},
                    {"label": "proxied", "suite": SUITE, "url": proxy.url, "size": 1},
                ]
                found = setting.client(client, plan)
                works, lacking, worse = compare(found["direct"], found["proxied"])
                pair = f"client {release(setting, client)}, server {release(setting, server)}"
                words = f"{len(worse)} worse through the proxy: " + "; ".join(worse[:4]) if worse else ""
                result = "failed" if worse or not works else "ok"
                outcomes.append({"name": pair, "outcome": result, "words": words, "seconds": 0})
                print(f"                  {pair}: {works} ok, {len(lacking)} lacking, {len(worse)} worse", flush=True)
                rows[client, server] = (works, len(found["proxied"]), lacking)
        refused = verifier.state()["refusals"]
        words = str(refused[:3]) if refused else ""
        outcomes.append({"name": f"server {server}: no signature is refused", "outcome": "failed" if refused else "ok",
                         "words": words, "seconds": 0})  # fmt: skip
        control.stop()
    if setting.matrix:
        write(setting, rows)
    return outcomes


def table(setting, rows, suite=SUITE):
    servers = [f"MLflow {release(setting, it)}" for it in SERVERS]
    lines = ["| client | " + " | ".join(servers) + " |", "|---|" + "---|" * len(servers)]
    for client in CLIENTS:
        cells = []
        for server in SERVERS:
            works, all_of_them, lacking = rows[client, server]
            cells.append(f"{works} of {all_of_them}" if lacking else f"all {all_of_them}")
        lines.append(f"| {release(setting, client)} | " + " | ".join(cells) + " |")
    lines += ["", f"The checks are those of the suite `{suite}`.", "", "What did not pass in a pair, through the proxy nor without it:", ""]
    missing = {}
    for (client, server), (_, _, lacking) in rows.items():
        for name in lacking:
            missing.setdefault(name, []).append(f"{release(setting, client)} with {release(setting, server)}")
    lines += [f"- {name}: {', '.join(pairs)}" for name, pairs in missing.items()]
    if not missing:
        lines.append("nothing")
    return "\n".join(lines)


def write(setting, rows):
    text = setting.matrix.read_text()
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    setting.matrix.write_text(f"{before}{BEGIN}\n\n{table(setting, rows)}\n\n{END}{after}")

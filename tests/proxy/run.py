"""Real MLflow clients through the proxy, cases of the wire, and faults, as parts with a summary.

It is started by `cargo xtask proxy`, which fetches what it needs. Exit status 1: something was not as it has to be.
"""

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from parts import PARTS, Failed, Left  # noqa: E402
from setting import Setting  # noqa: E402


# Checks that take longer than these seconds are named.
SLOW = 5


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True, help="the proxy")
    parser.add_argument("--emulator-python", type=Path, required=True, help="a Python that has the emulator of S3")
    parser.add_argument("--mlflow", action="append", default=[], metavar="VERSION=PYTHON", help="a Python that has MLflow")
    parser.add_argument("--slow", action="store_true", help="the parts that take long too")
    parser.add_argument("--part", action="append", help="only parts whose names have this")
    parser.add_argument("--only", help="only checks whose names have this, a regular expression")
    parser.add_argument("--keep", type=Path, help="where logs and data are, and stay after a failure")
    parser.add_argument("--matrix", type=Path, help="where the table of versions is written, with --slow")
    return parser.parse_args()


def report(name, outcomes, seconds):
    """Prints what was not ok, and says whether all was."""
    failed = [it for it in outcomes if it["outcome"] == "failed"]
    missing = [it for it in outcomes if it["outcome"] == "missing"]
    count = len(outcomes) - len(failed) - len(missing)
    print(f"{'FAILED' if failed else 'ok':<7} {seconds:6.1f} s  {name}: {count} ok, {len(failed)} failed", end="")
    print(f", {len(missing)} not run" if missing else "", flush=True)
    for it in failed:
        print(f"          FAILED {it['name']}: {it['words']}")
    for it in missing:
        print(f"          not run {it['name']}: {it['words']}")
    slowest = sorted(outcomes, key=lambda it: -it.get("seconds", 0))[:4]
    words = ", ".join(f"{it['seconds']} s {it['name'][:40]}" for it in slowest if it.get("seconds", 0) > SLOW)
    print(f"                  slowest: {words}\n" if words else "", end="", flush=True)
    return not failed


def main():
    wanted = arguments()
    pythons = dict(it.split("=", 1) for it in wanted.mlflow)
    good = True
    if wanted.keep:
        shutil.rmtree(wanted.keep, ignore_errors=True)
    start = time.monotonic()
    with Setting(pythons, wanted.emulator_python.absolute(), wanted.binary.absolute(), wanted.keep) as setting:
        setting.slow, setting.only, setting.matrix = wanted.slow, wanted.only, wanted.matrix
        print(f"        {time.monotonic() - start:6.1f} s  database and storage are up", flush=True)
        for part in PARTS:
            if wanted.part and not any(it in part.name for it in wanted.part):
                continue
            if part.is_slow and not wanted.slow:
                continue
            begun = time.monotonic()
            try:
                outcomes = part.run(setting)
            except Left as left:
                print(f"left out {0:5.1f} s  {part.name}: {left}", flush=True)
                continue
            except (Failed, RuntimeError, OSError) as error:
                outcomes = [{"name": "the part itself", "outcome": "failed", "words": str(error)}]
            good &= report(part.name, outcomes, time.monotonic() - begun)
        (setting.folder / "state.json").write_text(json.dumps(setting.states(), indent=1))
    print(f"        {time.monotonic() - start:6.1f} s  all parts", flush=True)
    if good and wanted.keep:
        # After a failure it stays, to be looked at.
        shutil.rmtree(wanted.keep, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

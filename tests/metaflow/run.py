"""The real Metaflow client with the stack that we deploy: each check has a line, and the run fails when one does.

It is started by `cargo xtask metaflow`, which fetches what it needs, with the Python that has the client.
"""

import argparse
import shutil
import sys
import time
import traceback
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
# What starts and ends programs stands with the tests of the proxy.
sys.path[:0] = [str(SOURCES), str(SOURCES.parent / "proxy")]

from checks import CHECKS  # noqa: E402
from executing import SLOW_CHECKS  # noqa: E402
from setting import Setting  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--formwork", type=Path, required=True, help="the command line")
    parser.add_argument("--emulator-python", type=Path, required=True, help="a Python that has the emulator of stacks")
    parser.add_argument("--slow", action="store_true", help="also execute a state machine to its end")
    parser.add_argument("--only", help="only checks whose names have this")
    parser.add_argument("--keep", type=Path, help="where logs and data are, and stay after a failure")
    return parser.parse_args()


def main():
    wanted = arguments()
    if wanted.keep:
        shutil.rmtree(wanted.keep, ignore_errors=True)
    start, good = time.monotonic(), True
    with Setting(wanted.formwork.absolute(), wanted.emulator_python.absolute(), wanted.keep) as setting:
        print(f"        {time.monotonic() - start:6.1f} s  the stack is deployed, and its counterparts are made", flush=True)
        for check in CHECKS + (SLOW_CHECKS if wanted.slow else []):
            name = check.__name__.replace("_", " ")
            if wanted.only and wanted.only not in name:
                continue
            begun = time.monotonic()
            try:
                check(setting)
                words = ""
            except Exception as error:
                good, words = False, f": {error}\n{''.join(traceback.format_tb(error.__traceback__)[1:])}"
            print(f"{'FAILED' if words else 'ok':<7} {time.monotonic() - begun:6.1f} s  {name}{words}", flush=True)
    print(f"        {time.monotonic() - start:6.1f} s  all checks", flush=True)
    if good and wanted.keep:
        # After a failure it stays, to be looked at.
        shutil.rmtree(wanted.keep, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

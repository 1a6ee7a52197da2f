"""The kits with real programs: MLflow, PostgreSQL and nginx run as the kits' files say, without Docker and Heroku.

It is started by `cargo xtask kits`, which fetches what it needs. Exit status 1: something was not as it has to be.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The programs that run beside the tests are those of the proxy's.
sys.path[:0] = [str(HERE), str(HERE.parent / "proxy")]

import compose  # noqa: E402
import heroku  # noqa: E402
import programs  # noqa: E402
from checks import Checks  # noqa: E402
from setting import Setting  # noqa: E402

PARTS = {"programs of the kits": programs.run, "Compose": compose.run, "Heroku": heroku.run}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--formwork", type=Path, required=True, help="the command line, which writes the kits")
    parser.add_argument("--emulator-python", type=Path, required=True, help="a Python that has the emulator of S3")
    parser.add_argument("--psycopg2", type=Path, required=True, help="a folder with the driver psycopg2 for this Python")
    parser.add_argument("--part", help="only the part with this in its name")
    parser.add_argument("--keep", type=Path, help="where files and logs are, and stay after a failure")
    return parser.parse_args()


def main():
    wanted = arguments()
    folder = wanted.keep or Path(tempfile.mkdtemp(prefix="formwork-kits-"))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # The kits' programs run as another user than root, and have to get to their files.
    os.chmod(folder, 0o755)
    failed = 0
    with Setting(wanted.formwork.absolute(), wanted.emulator_python.absolute(), wanted.psycopg2.absolute(), folder) as it:
        for name, run in PARTS.items():
            if wanted.part and wanted.part not in name:
                continue
            checks, start = Checks(), time.monotonic()
            try:
                run(it, checks)
            except Exception as error:  # noqa: BLE001
                traceback.print_exc()
                checks.failed("the part runs to its end", repr(error))
            checks.report(name, time.monotonic() - start)
            failed += checks.failures
    if not failed:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""The task of a self-hosted MLflow server, as its template has it, run on this machine.

`cargo xtask test` starts it. What AWS would be is here: PostgreSQL that asks for TLS and a password, an emulator of S3,
and MLflow in the version of the image. Exit status 1: something is not as it has to be.
"""

import argparse
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "proxy")]

import surroundings  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emulator-python", type=Path, required=True, help="a Python that has the emulator of S3")
    parser.add_argument("--psycopg2", type=Path, required=True, help="a folder with that driver alone")
    parser.add_argument("--template", type=Path, required=True, help="the template of the server's stack")
    parser.add_argument("tests", nargs="*", help="only tests whose names have one of these")
    wanted = parser.parse_args()
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{name}*" for name in wanted.tests] or None
    tests = loader.discover(str(HERE))
    with tempfile.TemporaryDirectory(prefix="formwork-server-") as folder:
        with surroundings.Surroundings(
            wanted.template, wanted.emulator_python.absolute(), wanted.psycopg2.absolute(), Path(folder)
        ) as around:
            surroundings.CURRENT.append(around)
            outcome = unittest.TextTestRunner(verbosity=2).run(tests)
    return 0 if outcome.wasSuccessful() and outcome.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())

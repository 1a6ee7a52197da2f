"""Migrations from real sources to a real PostgreSQL, every fault of a careless one, and breaks at each step.

It is started by `cargo xtask test` with the Python that has MLflow. `--only WORDS` takes the tests whose names have them.
"""

import argparse
import os
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from case import Case  # noqa: E402
from setting import Setting  # noqa: E402

MODULES = ["test_whole", "test_faults", "test_refusals", "test_breaks"]


class Timed(unittest.TextTestResult):
    """Names what takes long."""

    def startTest(self, test):
        self.begun = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        taken = time.monotonic() - self.begun
        if taken > 5:
            print(f"  {taken:.1f} s  {test.id()}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emulator-python", help="a Python that has the emulator of S3")
    parser.add_argument("--slow", action="store_true", help="the tests that take long too")
    parser.add_argument("--only", action="append", help="only tests whose names have this")
    wanted = parser.parse_args()
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{it}*" for it in wanted.only] if wanted.only else None
    begun = time.monotonic()
    setting = Case.setting = Setting()
    Case.slow, Case.emulator_python = wanted.slow, wanted.emulator_python
    try:
        suite = loader.loadTestsFromNames(MODULES)
        result = unittest.TextTestRunner(resultclass=Timed, verbosity=1).run(suite)
    finally:
        setting.close()
    print(f"{time.monotonic() - begun:.1f} s in all, {sum(os.times()[:4]):.1f} s of processor")
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())

"""What a migration tells while it works, on the error stream, and the report that it leaves."""

import json
import os
import sys
import time

EVERY = 2.0


class Progress:
    """Steps and counts as lines."""

    def __init__(self, steps):
        self.steps, self.at, self.told = steps, 0, 0.0
        self.step_name = ""

    def step(self, name):
        self.at += 1
        self.step_name = name
        self.told = time.monotonic()
        self.line("")

    def count(self, what, number):
        now = time.monotonic()
        if now - self.told >= EVERY:
            self.told = now
            self.line(f": {what} {number}")

    def line(self, text):
        print(f"[{self.at}/{self.steps}] {self.step_name}{text}", file=sys.stderr, flush=True)


def write_report(path, report):
    """Whole or not at all."""
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(partial, path)

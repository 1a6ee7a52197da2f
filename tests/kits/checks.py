"""What was found out: each check has a name, and those that fail say why."""


class Checks:
    def __init__(self):
        self.passed, self.failures, self.lines = 0, 0, []

    def that(self, name, holds, words=""):
        """Notes whether something holds."""
        if holds:
            self.passed += 1
        else:
            self.failed(name, words)

    def equal(self, name, found, wanted):
        self.that(name, found == wanted, f"{found!r}, not {wanted!r}")

    def failed(self, name, words):
        self.failures += 1
        self.lines.append(f"          FAILED {name}: {words}")

    def note(self, words):
        """A figure worth reading."""
        self.lines.append(f"          {words}")

    def report(self, name, seconds):
        word = "FAILED" if self.failures else "ok"
        print(f"{word:<7} {seconds:6.1f} s  {name}: {self.passed} ok, {self.failures} failed", flush=True)
        for line in self.lines:
            print(line, flush=True)

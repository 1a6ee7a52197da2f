"""A test of the migration."""

import hashlib
import unittest


class Case(unittest.TestCase):
    setting = None
    slow = False
    emulator_python = None
    # Differences of long texts are no help.
    maxDiff = 2000

    @property
    def postgres(self):
        return self.setting.postgres

    def ends(self, outcome, status, *words):
        """Checks how a run ended, and that it said why."""
        self.assertEqual(outcome.status, status, outcome.words)
        for it in words:
            self.assertIn(it, outcome.words)

    def sqlite(self, source=None, **more):
        return {"sourceDatabase": str((source or self.setting.source() / "mlflow.db"))} | more


def state_of(folder):
    """Every file with its content, as far as a migration might have changed it."""
    files = sorted(it for it in folder.rglob("*") if it.is_file())
    return {
        str(it.relative_to(folder)): (hashlib.sha256(it.read_bytes()).hexdigest(), it.stat().st_mtime_ns)
        for it in files
    }

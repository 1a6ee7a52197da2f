"""Breaks: killed at each step, and at any moment, a migration starts again and ends well."""

import random
import signal
import time

from case import Case, state_of

STEPS = ["look at the source", "copy the artifacts", "make the schema", "load the rows", "compare", "end"]


class Breaks(Case):
    def kit(self, name):
        copied = {"artifactsTo": str(self.setting.folder / f"files of {name}")}
        return self.setting.kit(name, self.postgres.new(name), self.sqlite(), copied)

    def kill(self, folder, step, later=0.0):
        """Kills it when it says that it has come to a step; gives whether it was still running."""
        process = self.setting.start(folder)
        try:
            for line in process.stderr:
                if line.rstrip().endswith(f"] {step}"):
                    time.sleep(later)
                    break
        finally:
            process.kill()
            status = process.wait()
            process.stderr.close()
        return status == -signal.SIGKILL

    def relations(self, name):
        return self.postgres.ask(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'", name
        )

    def ends_well(self, folder, name):
        outcome = self.setting.run(folder)
        self.ends(outcome, 0)
        self.ends(self.setting.run(folder, "--verify"), 0)
        self.assertEqual(self.postgres.ask("SELECT count(*) FROM runs", name), "7")
        return outcome.report()

    def test_killed_at_each_step(self):
        folder, before = self.kit("killed"), state_of(self.setting.source())
        for step in STEPS if self.slow else STEPS[2:5]:
            with self.subTest(step):
                self.assertTrue(self.kill(folder, step), f"it ended before it was killed at {step}")
        self.assertEqual(state_of(self.setting.source()), before)
        self.assertNotEqual(self.relations("killed"), "0", "there is something to begin again from")
        report = self.ends_well(folder, "killed")
        self.assertEqual(report["target_was"], "unfinished")
        self.assertEqual(report["artifacts"]["sent"], 0, "what is there is not sent again")

    def test_killed_at_any_moment(self):
        if not self.slow:
            self.skipTest("--slow was not given")
        folder, chance = self.kit("any moment"), random.Random(5)
        for _ in range(12):
            step = chance.choice(STEPS[1:5])
            self.kill(folder, step, chance.uniform(0, 0.8))
            if (
                self.postgres.ask(
                    "SELECT to_regclass('formwork_migration') IS NULL AND to_regclass('runs') IS NOT NULL", "any moment"
                )
                == "t"
            ):
                # It was faster than the kill, and has ended well.
                self.postgres.new("any moment")
        self.ends_well(folder, "any moment")

    def test_a_load_that_is_refused_leaves_no_row(self):
        """A value that only PostgreSQL knows to be wrong: a trigger of the administrator's, in the place of any reason."""
        if not self.slow:
            self.skipTest("--slow was not given")
        name = "refused load"
        folder = self.kit(name)
        # The schema appears while the migration runs: an event trigger hangs a refusal on one of its last tables.
        self.postgres.ask(
            "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;"
            "CREATE FUNCTION public.hang() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF to_regclass('public.model_versions') IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'refuse') "
            "THEN CREATE TRIGGER refuse BEFORE INSERT ON public.model_versions EXECUTE FUNCTION public.refuse(); END IF; END $$;"
            "CREATE EVENT TRIGGER hang ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.hang()",
            name,
        )
        self.ends(self.setting.run(folder), 5, "PostgreSQL refused the rows", "not today", "nothing was loaded")
        self.assertEqual(self.postgres.ask("SELECT count(*) FROM runs", name), "0")
        self.postgres.ask("DROP EVENT TRIGGER hang; DROP FUNCTION public.refuse() CASCADE", name)
        self.assertEqual(self.ends_well(folder, name)["target_was"], "unfinished")

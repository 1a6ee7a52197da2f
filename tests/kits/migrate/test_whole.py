"""Whole migrations: what comes out is what went in, and a server on it serves it."""

import os
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path
from unittest import mock

import mlflow

from case import Case, state_of
from make_source import MARKS, NAME, ODD_NAME
from setting import PASSWORD
from processes.servers import BUCKET
from verify.state import ACCOUNT


class Whole(Case):
    def test_a_database_with_its_artifacts_into_a_bucket(self):
        """Over TLS, as a user who is no administrator, with a password that needs quoting everywhere."""
        setting = self.setting
        source = setting.source()
        before = state_of(source)
        with setting.storage(self.emulator_python) as storage:
            storage.until_ready()
            aws = {"MLFLOW_S3_ENDPOINT_URL": storage.url, "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "s"}
            aws |= {"AWS_DEFAULT_REGION": "us-east-1"}
            store = f"s3://{BUCKET}/some/artifacts"
            artifacts = {"artifactsTo": store, "artifactsComparedBy": "contents"}
            folder = setting.kit("whole", self.postgres.new("whole"), self.sqlite(), artifacts)
            seen = self.watched(folder, aws)
            self.assertGreater(seen["looks"], 10)
            self.assertEqual(seen["found"], [], "the password is in no command line and no variable of a child")
            self.assertEqual(state_of(source), before, "the source is as it was, without a file more")
            for file in folder.rglob("*"):
                if file.is_file():
                    text = file.read_text(errors="replace")
                    self.assertFalse(PASSWORD in text or urllib.parse.quote(PASSWORD) in text, file)
            self.assertFalse((folder / "work").exists())
            # Clients reach the bucket themselves.
            with mock.patch.dict(os.environ, aws), setting.server("whole", "--default-artifact-root", store) as server:
                server.until_answers(server.url + "/health")
                Server(self, server.url, store).check()

    def watched(self, folder, aws):
        """Runs it as a process, and looks at all command lines while it works."""
        environment, seen = self.setting.environment(**aws), {"looks": 0, "found": []}
        command = [sys.executable, folder / "migrate.py"]
        process = subprocess.Popen(command, env=environment, cwd="/", stderr=subprocess.PIPE, text=True)
        secrets = [PASSWORD.encode(), urllib.parse.quote(PASSWORD).encode()]

        def look():
            while process.poll() is None:
                seen["looks"] += 1
                for place in Path("/proc").glob("[0-9]*/cmdline"):
                    try:
                        words = place.read_bytes()
                    except OSError:
                        continue
                    if any(it in words for it in secrets):
                        seen["found"].append(words)
                stopped.wait(0.05)

        stopped = threading.Event()
        watcher = threading.Thread(target=look)
        watcher.start()
        words = process.communicate(timeout=200)[1]
        watcher.join()
        self.assertEqual(process.returncode, 0, words)
        self.assertFalse(any(it.decode() in words for it in secrets), words)
        return seen

    def test_a_file_store_into_a_folder(self):
        source = self.setting.source("file store")
        before = state_of(source)
        copied = self.setting.folder / "copied files"
        place = {"sourceFileStore": str(source / "mlruns")}
        artifacts = {"artifactsTo": str(copied), "artifactLocations": "mlflow-artifacts:/"}
        folder = self.setting.kit("files", self.postgres.new("files"), place, artifacts)
        outcome = self.setting.run(folder)
        self.ends(outcome, 0)
        self.assertEqual(state_of(source), before)
        report = outcome.report()
        self.assertEqual(report["artifacts"]["files"], report["artifacts"]["sent"])
        # A file store numbers experiments with more digits than PostgreSQL's column has room for.
        self.assertEqual(sorted(report["new_experiment_ids"].values()), [1, 2, 3])
        self.assertTrue(all(int(it) > 2**31 for it in report["new_experiment_ids"]), report["new_experiment_ids"])
        mlflow.set_tracking_uri(self.postgres.uri("files"))
        client = mlflow.MlflowClient()
        runs = client.search_runs(
            [client.get_experiment_by_name("first ✓").experiment_id], "attributes.run_name = 'run 1'"
        )
        place = runs[0].info.artifact_uri
        self.assertTrue(place.startswith(f"mlflow-artifacts:/{runs[0].info.experiment_id}/"), place)
        self.assertEqual((copied / place.removeprefix("mlflow-artifacts:/") / ODD_NAME).read_text(), MARKS)
        if self.slow:
            handing_out = ["--artifacts-destination", str(copied), "--serve-artifacts"]
            with self.setting.server("files", "--default-artifact-root", "mlflow-artifacts:/", *handing_out) as server:
                server.until_answers(server.url + "/health")
                mlflow.set_tracking_uri(server.url)
                path = mlflow.MlflowClient().download_artifacts(runs[0].info.run_id, NAME)
                self.assertEqual(Path(path).read_text(), MARKS)
                self.assertEqual(mlflow.pyfunc.load_model("models:/twice/1").predict({"x": [3]}), [6])


class Server:
    """A real client's look at the target, through a server that stands on it."""

    def __init__(self, case, url, root):
        self.case, self.root = case, root
        mlflow.set_tracking_uri(url)
        self.client = mlflow.MlflowClient()

    def check(self):
        self.runs()
        self.models()
        self.traces()
        self.new()

    def runs(self):
        case, client = self.case, self.client
        gone = [it.name for it in client.search_experiments(view_type=mlflow.entities.ViewType.DELETED_ONLY)]
        case.assertEqual(gone, ["gone"])
        experiment = client.get_experiment_by_name("first ✓")
        case.assertEqual(experiment.artifact_location, f"{self.root}/{experiment.experiment_id}")
        case.assertEqual(experiment.tags["mlflow.note.content"], MARKS)
        view = mlflow.entities.ViewType.ALL
        runs = {it.info.run_name: it for it in client.search_runs([experiment.experiment_id], run_view_type=view)}
        case.assertEqual(sorted(runs), ["run 0", "run 1", "run 2"])
        case.assertEqual(runs["run 0"].info.lifecycle_stage, "deleted")
        case.assertEqual(runs["run 1"].data.params, {"number": "1", "marks": MARKS, "empty": ""})
        case.assertEqual(runs["run 1"].data.metrics["value"], 1.1)
        case.assertNotEqual(runs["run 2"].data.metrics["value"], runs["run 2"].data.metrics["value"], "it is no number")
        case.assertEqual(runs["run 1"].data.tags["marks"], MARKS)
        case.assertEqual(runs["run 1"].inputs.dataset_inputs[0].dataset.name, "numbers")
        history = client.get_metric_history(runs["run 1"].info.run_id, "loss")
        case.assertEqual([it.value for it in history], [1e-300 * step for step in range(4)])
        path = client.download_artifacts(runs["run 1"].info.run_id, NAME)
        case.assertEqual(Path(path).read_text(), MARKS)

    def models(self):
        case, client = self.case, self.client
        model = mlflow.pyfunc.load_model("models:/twice@champion")
        case.assertEqual(model.predict({"x": [3, 4]}), [6, 8], "a model that was logged before loads after")
        version = client.get_model_version("of a run", "1")
        case.assertTrue(version.source.startswith(self.root), version.source)
        folder = mlflow.artifacts.download_artifacts("models:/of a run/1")
        case.assertTrue(list(Path(folder).iterdir()), "the files of a version that names a run's folder")
        case.assertIn(MARKS, mlflow.genai.load_prompt("prompts:/greeting/1").template)

    def traces(self):
        case = self.case
        found = mlflow.search_traces(
            locations=[self.client.get_experiment_by_name("second").experiment_id], return_type="list"
        )
        case.assertEqual(len(found), 1)
        case.assertEqual(found[0].data.spans[0].inputs, {"marks": MARKS})
        case.assertEqual(found[0].info.assessments[0].rationale, MARKS)

    def new(self):
        case, client = self.case, self.client
        names = [client.create_experiment(f"new {number}") for number in range(3)]
        case.assertEqual(len(set(names)), 3)
        with mlflow.start_run(experiment_id=names[0]) as run:
            mlflow.log_metric("value", 1)
            mlflow.log_text("new", "new.txt")
        case.assertEqual(mlflow.artifacts.load_text(run.info.artifact_uri + "/new.txt"), "new")

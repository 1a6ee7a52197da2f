"""What users of each role can do, shown by the client itself."""

import os
import re

from client.checks import check, same


def refused(s, action, status=403):
    """Runs what must be refused, and gives the words."""
    try:
        action()
    except Exception as error:  # noqa: BLE001 - clients raise different ones for files and calls
        text = str(error)
        wanted = rf"\b{status}\b|PERMISSION_DENIED|UNAUTHENTICATED"
        assert re.search(wanted, text), f"it failed, but was not refused: {text[:300]}"
        return text
    raise AssertionError("it was not refused")


def changes(s):
    """Calls that change something, by name. They work on what the writer has made."""
    c, run, experiment = s.client, s.shared["run"], s.shared["experiment"]
    return {
        "create_experiment": lambda: c.create_experiment(f"no {s.mark}"),
        "create_run": lambda: c.create_run(experiment),
        "log_metric": lambda: c.log_metric(run, "x", 1),
        "log_param": lambda: c.log_param(run, f"x{s.mark}", 1),
        "set_tag": lambda: c.set_tag(run, "x", 1),
        "log_text": lambda: c.log_text(run, "x", "no.txt"),
        "set_terminated": lambda: c.set_terminated(run),
        "create_registered_model": lambda: c.create_registered_model(f"no-{s.mark}"),
        "rename_experiment": lambda: c.rename_experiment(experiment, f"no {s.mark}"),
    }


def deletions(s):
    c, run, experiment = s.client, s.shared["run"], s.shared["experiment"]
    return {
        "delete_run": lambda: c.delete_run(run),
        "delete_experiment": lambda: c.delete_experiment(experiment),
    }


@check("a writer makes a run with a file", ("writer",))
def writer_makes(s):
    experiment = s.client.create_experiment(f"shared {s.mark}")
    run = s.client.create_run(experiment).info.run_id
    s.client.log_text(run, "written", "w.txt")
    s.client.log_metric(run, "x", 1)
    s.shared.update(experiment=experiment, run=run)


@check("a writer deletes nothing", ("writer",))
def writer_deletes(s):
    for name, action in deletions(s).items():
        assert refused(s, action), name


@check("a reader sees everything", ("reader",))
def reader_reads(s):
    run, experiment = s.shared["run"], s.shared["experiment"]
    same(s.client.get_run(run).data.metrics, {"x": 1.0})
    same(len(s.client.search_runs([experiment])), 1)
    same([it.path for it in s.client.list_artifacts(run)], ["w.txt"])
    same(s.mlflow.artifacts.load_text(s.client.get_run(run).info.artifact_uri + "/w.txt"), "written")
    s.client.search_experiments()
    s.client.search_registered_models()
    s.client.search_model_versions()
    s.client.get_metric_history(run, "x")


@check("a reader changes nothing", ("reader",))
def reader_changes(s):
    not_refused = []
    for name, action in (changes(s) | deletions(s)).items():
        try:
            words = refused(s, action)
            assert "reader" in words or "role" in words or "writer" in words or "admin" in words, words
        except AssertionError as error:
            not_refused.append(f"{name}: {error}"[:300])
    same(not_refused, [])
    run = s.client.get_run(s.shared["run"])
    same((run.data.metrics, run.data.tags.get("x"), run.info.status), ({"x": 1.0}, None, "RUNNING"))


@check("an admin deletes", ("admin",))
def admin_deletes(s):
    for action in deletions(s).values():
        action()
    same(s.client.get_run(s.shared["run"]).info.lifecycle_stage, "deleted")


@check("a password works as a token does", ("password",))
def password(s):
    os.environ.pop("MLFLOW_TRACKING_TOKEN", None)
    os.environ.update(MLFLOW_TRACKING_USERNAME=s.shared["user"], MLFLOW_TRACKING_PASSWORD=s.shared["password"])
    try:
        s.client.search_experiments()
        os.environ["MLFLOW_TRACKING_PASSWORD"] = "wrong"
        refused(s, s.client.search_experiments, 401)
    finally:
        del os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"]


@check("an unknown token is refused with what to do", ("nobody",))
def nobody(s):
    words = refused(s, s.client.search_experiments, 401)
    assert "proxy user" in words, words

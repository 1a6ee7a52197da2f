"""Fills a server with one of everything, as users of MLflow do, and tells what the real client reads back.

What is told has no id in it, so that two servers can be compared: ids are named by what they belong to.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

import mlflow
import mlflow.artifacts
import pandas
from mlflow.entities import Feedback, ViewType

EXPERIMENT = "fraud detection / ünï"
POINTS = 2500


class Doubler(mlflow.pyfunc.PythonModel):
    """A model whose answer proves which bytes were loaded."""

    def __init__(self, factor):
        self.factor = factor

    def predict(self, context, model_input: list[float]) -> list[float]:
        return [self.factor * number for number in model_input]


def fill(uri, folder):
    """Logs runs, models, traces and versions; returns nothing that a copy would keep."""
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    experiment = client.create_experiment(EXPERIMENT, tags={"team": "risk", "note": "ü"})
    mlflow.set_experiment(experiment_id=experiment)
    frame = pandas.DataFrame({"a": [1, 2], "b": [0.5, 0.25]})
    dataset = mlflow.data.from_pandas(frame, name="payments", targets="b")
    with mlflow.start_run(run_name="parent", tags={"stage": "tuning"}, description="a parent") as parent:
        mlflow.log_params({f"p{index}": "x" * 400 for index in range(120)})
        mlflow.log_input(dataset, context="training")
        client.log_batch(
            parent.info.run_id,
            metrics=[
                mlflow.entities.Metric("loss/tr ain", 1 / (3 + step), 1700000000000 + step, step)
                for step in range(1000)
            ],
        )
        for begin in range(1000, POINTS, 1000):
            client.log_batch(
                parent.info.run_id,
                metrics=[
                    mlflow.entities.Metric("loss/tr ain", 1 / (3 + step), 1700000000000 + step, step)
                    for step in range(begin, min(POINTS, begin + 1000))
                ],
            )
        mlflow.log_metric("not a number", float("nan"))
        mlflow.log_metric("endless", float("inf"))
        mlflow.log_metric("seventeen digits", 0.12345678901234568)
        mlflow.log_text("héllo", "a folder/with space & [brackets] ü.txt")
        mlflow.log_text("", "empty.txt")
        large = Path(folder, "large.bin")
        large.write_bytes(bytes(range(256)) * 4096 * 20)
        mlflow.log_artifact(str(large))
        model = mlflow.pyfunc.log_model(
            name="doubler", python_model=Doubler(2.0), registered_model_name="risk model", pip_requirements=["mlflow"]
        )
        mlflow.log_metric("accuracy", 0.875, model_id=model.model_id, dataset=dataset)
        for child in range(3):
            with mlflow.start_run(nested=True, run_name=f"child {child}"):
                mlflow.log_metric("depth", child)
    with mlflow.start_run(run_name="with a failed end") as failed:
        pass
    client.set_terminated(failed.info.run_id, status="FAILED")
    with mlflow.start_run(run_name="in the bin") as binned:
        mlflow.log_param("kept", "yes")
    client.delete_run(binned.info.run_id)
    other = mlflow.pyfunc.log_model(name="tripler", python_model=Doubler(3.0), pip_requirements=["mlflow"])
    # Version 2 is deleted, so that 3 has to keep its number.
    for _ in range(2):
        mlflow.register_model(f"models:/{other.model_id}", "risk model")
    client.delete_model_version("risk model", "2")
    client.set_registered_model_alias("risk model", "champion", "3")
    client.set_registered_model_alias("risk model", "older", "1")
    client.update_registered_model("risk model", description="what it is for")
    client.set_registered_model_tag("risk model", "owner", "risk")
    client.set_model_version_tag("risk model", "3", "checked", "yes")
    client.update_model_version("risk model", "3", description="third")
    mlflow.genai.register_prompt(name="greeting", template="hello {{name}}")
    mlflow.genai.register_prompt(name="greeting", template="good day {{name}}")

    @mlflow.trace
    def answer(question):
        with mlflow.start_span("look up") as span:
            span.set_inputs({"q": question})
            span.set_outputs([1.5, None, {"deep": "ü"}])
        return question.upper()

    for question in ("why", "how"):
        answer(question)
    mlflow.flush_trace_async_logging()
    trace = mlflow.search_traces(locations=[experiment], return_type="list")[0]
    mlflow.log_feedback(trace_id=trace.info.trace_id, name="good", value=0.1, rationale="because")
    gone = client.create_experiment("gone", tags={"why": "old"})
    client.create_run(gone)
    client.delete_experiment(gone)
    client.create_run("0", run_name="of nobody")


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def told(uri, prefix=""):
    """What the real client reads, without ids."""
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    ours = "formwork."
    names = {}
    everything = {"experiments": {}, "registry": {}}
    experiments = client.search_experiments(view_type=ViewType.ALL)
    runs = {
        experiment.experiment_id: client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL)
        for experiment in experiments
    }
    for of_experiment in runs.values():
        names.update({run.info.run_id: run.info.run_name for run in of_experiment})
    models = {
        experiment.experiment_id: list(mlflow.search_logged_models([experiment.experiment_id], output_format="list"))
        for experiment in experiments
    }
    for of_experiment in models.values():
        names.update({model.model_id: model.name for model in of_experiment})

    def named(text):
        for key, name in names.items():
            text = text.replace(key, f"<{name}>")
        return text

    def tags_of(tags):
        # Locations begin with the number of an experiment, which is another one.
        left_out = ("mlflow.modelVersions", "mlflow.artifactLocation", "mlflow.trace.spansLocation")
        return {
            key: named(value) for key, value in tags.items() if not key.startswith(ours) and key not in left_out
        }

    def files(uri_of_root):
        with tempfile.TemporaryDirectory() as folder:
            try:
                root = mlflow.artifacts.download_artifacts(artifact_uri=uri_of_root, dst_path=folder)
            except Exception:  # noqa: BLE001 a root that nothing was logged to is an error to the client
                return {}
            found = {}
            for path in sorted(Path(root).rglob("*")):
                if path.is_file():
                    # An `MLmodel` names its run and itself.
                    is_model = path.name == "MLmodel"
                    text = [
                        line
                        for line in named(path.read_text()).splitlines()
                        if not line.startswith("artifact_path")
                    ] if is_model else None
                    found[str(path.relative_to(root))] = text if is_model else digest(path)
            return found

    for experiment in experiments:
        if not experiment.name.startswith(prefix):
            continue
        told_runs = {}
        for run in runs[experiment.experiment_id]:
            run_id = run.info.run_id
            told_runs[run.info.run_name] = {
                "info": [run.info.status, run.info.start_time, run.info.end_time, run.info.lifecycle_stage, run.info.user_id],
                "params": run.data.params,
                "tags": tags_of(run.data.tags),
                "metrics": {
                    key: sorted(
                        (point.step, point.timestamp, repr(point.value))
                        for point in client.get_metric_history(run_id, key)
                    )
                    for key in run.data.metrics
                },
                "datasets": sorted(
                    (it.dataset.name, it.dataset.digest, it.dataset.profile, str([(t.key, t.value) for t in it.tags]))
                    for it in run.inputs.dataset_inputs
                ),
                "outputs": sorted((names[it.model_id], it.step) for it in run.outputs.model_outputs)
                if run.outputs
                else [],
                "files": files(run.info.artifact_uri),
            }
        told_models = {
            model.name: {
                "status": str(model.status),
                "run": names.get(model.source_run_id),
                "params": model.params,
                "tags": tags_of(model.tags),
                "metrics": sorted(
                    (m.key, repr(m.value), m.step, m.timestamp, m.dataset_name or "", names.get(m.run_id, ""))
                    for m in model.metrics or []
                ),
                "files": files(model.artifact_location),
            }
            for model in models[experiment.experiment_id]
        }
        traces = {}
        if experiment.lifecycle_stage == "active":
            for trace in mlflow.search_traces(locations=[experiment.experiment_id], return_type="list"):
                traces[trace.info.trace_id] = {
                    "state": str(trace.info.state),
                    "when": trace.info.request_time,
                    "tags": tags_of(trace.info.tags),
                    "assessments": [(a.name, repr(a.value), a.rationale) for a in trace.info.assessments],
                    "spans": [
                        (s.name, s.inputs, s.outputs, s.start_time_ns, s.end_time_ns, s.span_id, s.parent_id)
                        for s in trace.data.spans
                    ],
                }
        name = experiment.name.removeprefix(prefix)
        everything["experiments"][name] = {
            "stage": experiment.lifecycle_stage,
            "tags": {k: v for k, v in experiment.tags.items() if not k.startswith(ours)},
            "runs": told_runs,
            "models": told_models,
            "traces": traces,
        }
    for filter_string in ("", "tags.`mlflow.prompt.is_prompt` = 'true'"):
        for registered in client.search_registered_models(filter_string=filter_string):
            if not registered.name.startswith(prefix):
                continue
            prompt = bool(filter_string)
            more = f" AND {filter_string}" if prompt else ""
            versions = client.search_model_versions(f"name = '{registered.name}'{more}")
            tags = {k: v for k, v in registered.tags.items() if not k.startswith(ours) and k != "_mlflow_experiment_ids"}
            everything["registry"][registered.name.removeprefix(prefix)] = {
                "description": registered.description,
                "tags": tags,
                "aliases": registered.aliases,
                "versions": {
                    str(it.version): [
                        named(it.source) if not it.source.startswith("mlflow-artifacts") else "",
                        names.get(it.run_id, ""),
                        it.description or "",
                        {k: v for k, v in it.tags.items() if not k.startswith(ours)},
                    ]
                    for it in versions
                },
            }
    return json.loads(json.dumps(everything, default=str))


def predictions(uri, prefix=""):
    """What the registered models answer when they are loaded by alias, version and name."""
    mlflow.set_tracking_uri(uri)
    named = [f"models:/{prefix}risk model@champion", f"models:/{prefix}risk model@older", f"models:/{prefix}risk model/3"]
    answers = []
    for name in named:
        model = mlflow.pyfunc.load_model(name)
        answers.append(model.predict([1.0, 2.0]))
    prompt = mlflow.genai.load_prompt(f"prompts:/{prefix}greeting/2")
    return [*answers, prompt.format(name="ann")]


if __name__ == "__main__":
    what, uri, *rest = sys.argv[1:]
    if what == "fill":
        fill(uri, rest[0])
    else:
        print(json.dumps({"told": told(uri, *rest), "predictions": predictions(uri, *rest)}, sort_keys=True))

"""Fills a store with a real client: everything that a migration could lose. The tracking URI is the first argument."""

import sys

import mlflow
import pandas

MARKS = "naïve ✓ 'q'\ttab\nline \\ back \\N 100%"
NAME = "notes/a b.txt"
ODD_NAME = "notes/a+ü.txt"


class Twice(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [2 * it for it in model_input["x"]]


def log(model):
    for number in range(3):
        with mlflow.start_run(run_name=f"run {number}"):
            mlflow.log_params({"number": number, "marks": MARKS, "empty": ""})
            mlflow.log_metric("value", float("nan") if number == 2 else number * 1.1)
            mlflow.log_metric("infinite", float("-inf") if number else float("inf"))
            for step in range(4):
                mlflow.log_metric("loss", 1e-300 * step, step=step)
            mlflow.set_tags({"marks": MARKS, "k": "v"})
            for name in (NAME, ODD_NAME):
                mlflow.log_text(MARKS, name)
            data = mlflow.data.from_pandas(pandas.DataFrame({"x": [1, 2]}), name="numbers")
            mlflow.log_input(data, context="training")
    if model:
        with mlflow.start_run(run_name="model"):
            mlflow.log_params({"depth": 3})
            mlflow.pyfunc.log_model(name="model", python_model=Twice(), registered_model_name="twice")


def registry(client):
    run = client.search_runs(
        [client.get_experiment_by_name("first ✓").experiment_id], order_by=["attributes.start_time"]
    )[0]
    client.create_registered_model("of a run", description=MARKS, tags={"k": "v"})
    client.create_model_version("of a run", run.info.artifact_uri + "/notes", run.info.run_id, tags={"k": MARKS})
    client.set_registered_model_alias("twice", "champion", 1)
    return run


def main():
    uri = sys.argv[1]
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    client.create_experiment("gone")
    for name in ("first ✓", "second"):
        mlflow.set_experiment(name)
        log(model=name == "second")
    run = registry(client)
    client.set_experiment_tag(run.info.experiment_id, "mlflow.note.content", MARKS)
    client.delete_run(run.info.run_id)
    client.delete_experiment(client.get_experiment_by_name("gone").experiment_id)
    if uri.startswith("sqlite"):
        with mlflow.start_span("root") as span:
            span.set_inputs({"marks": MARKS})
        mlflow.flush_trace_async_logging()
        mlflow.log_feedback(trace_id=span.trace_id, name="good", value=True, rationale=MARKS)
        mlflow.genai.register_prompt("greeting", f"Hello {{{{name}}}} {MARKS}")
        dataset = mlflow.genai.datasets.create_dataset("questions", experiment_id=[run.info.experiment_id])
        dataset.merge_records([{"inputs": {"q": MARKS}, "expectations": {"a": 1.5}}])
        client.create_webhook("hook", "https://1.1.1.1/hook", ["model_version.created"], secret="of the webhook")


if __name__ == "__main__":
    main()

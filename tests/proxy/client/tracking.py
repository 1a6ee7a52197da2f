"""Experiments, runs, metrics, inputs, and the errors of MLflow."""

import time

from client.checks import check, paged, same

ODD = "ünï/çødé + a&b=c %41 ?# 日本"


@check("experiment with spaces, unicode and + & % / ? # in its name", ("all", "short", "control"))
def experiment(s):
    name = f"exp {s.mark} {ODD}"
    s.experiment = s.client.create_experiment(name, tags={"k 1": "v+1 %2F"})
    found = s.client.get_experiment_by_name(name)
    same((found.experiment_id, found.name), (s.experiment, name))
    same(s.client.get_experiment(s.experiment).tags["k 1"], "v+1 %2F")


@check("locations that clients see are the proxy's", ("all", "short"))
def locations(s):
    location = s.client.get_experiment(s.experiment).artifact_location
    same(location.split(":")[0], "mlflow-artifacts")


@check("experiment with a location of its own")
def own_location(s):
    identifier = s.client.create_experiment(f"own {s.mark}", artifact_location=f"mlflow-artifacts:/own/{s.mark}")
    same(s.client.get_experiment(identifier).artifact_location, f"mlflow-artifacts:/own/{s.mark}")
    run = s.client.create_run(identifier)
    s.client.log_text(run.info.run_id, "there", "here.txt")
    same([it.path for it in s.client.list_artifacts(run.info.run_id)], ["here.txt"])


@check("search of experiments, page by page", ("all", "control"))
def search_experiments(s):
    for number in range(7):
        s.client.create_experiment(f"p{s.mark}-{number}")
    wanted = f"name LIKE 'p{s.mark}%'"
    found = paged(lambda token: s.client.search_experiments(max_results=3, page_token=token, filter_string=wanted))
    same(len(found), 7)


@check("experiment renamed, deleted and restored", ("all", "control"))
def life_of_experiment(s):
    identifier = s.client.create_experiment(f"life {s.mark}")
    s.client.rename_experiment(identifier, f"life {s.mark} ü")
    s.client.delete_experiment(identifier)
    same(s.client.get_experiment(identifier).lifecycle_stage, "deleted")
    s.client.restore_experiment(identifier)
    same(s.client.get_experiment(identifier).name, f"life {s.mark} ü")


@check("run with a batch of 1000 metrics, 100 parameters and 100 tags", ("all", "short", "control"))
def batch(s):
    from mlflow.entities import Metric, Param, RunTag

    s.run = s.client.create_run(s.experiment, run_name="r ü").info.run_id
    now = int(time.time() * 1000)
    # The most that MLflow takes; fewer where only the way is tried.
    s.most = 1000 if s.suite == "all" and s.size > 1 else 100
    metrics = [Metric(f"m/{number % 10} x", number, now + number, number) for number in range(s.most)]
    parameters = [Param(f"p{number}", f"v+{number} %20 é") for number in range(100)]
    tags = [RunTag(f"t{number}", "x") for number in range(100)]
    s.client.log_batch(s.run, metrics, parameters, tags)
    data = s.client.get_run(s.run).data
    same(data.params["p5"], "v+5 %20 é")
    same(data.metrics["m/3 x"], s.most - 7)


@check("history of a metric with / and a space in its name", ("all", "short", "control"))
def history(s):
    same(len(s.client.get_metric_history(s.run, "m/3 x")), s.most // 10)


@check("search of runs, page by page", ("all", "control"))
def search_runs(s):
    for number in range(12):
        run = s.client.create_run(s.experiment)
        s.client.log_metric(run.info.run_id, "acc", number)
        s.client.set_terminated(run.info.run_id)
    found = paged(
        lambda token: s.client.search_runs(
            [s.experiment], "metrics.acc > 1.5", max_results=4, page_token=token, order_by=["metrics.acc DESC"]
        )
    )
    same([run.data.metrics["acc"] for run in found], [float(it) for it in range(11, 1, -1)])


@check("tags set and deleted, run deleted and restored", ("all", "control"))
def tags(s):
    s.client.set_tag(s.run, "a b", "1")
    s.client.delete_tag(s.run, "a b")
    s.client.delete_run(s.run)
    same(s.client.get_run(s.run).info.lifecycle_stage, "deleted")
    s.client.restore_run(s.run)
    same(s.client.get_run(s.run).info.lifecycle_stage, "active")


@check("fluent run with a dataset as input")
def fluent(s):
    import pandas

    with s.mlflow.start_run(experiment_id=s.experiment) as run:
        s.mlflow.log_params({"a": 1, "b": "ü"})
        s.mlflow.log_metrics({"x": 1.5}, step=3)
        dataset = s.mlflow.data.from_pandas(pandas.DataFrame({"a": [1]}), name="ds")
        s.mlflow.log_input(dataset, context="training")
    inputs = s.client.get_run(run.info.run_id).inputs.dataset_inputs
    same([it.dataset.name for it in inputs], ["ds"])


@check("asynchronous logging")
def asynchronous(s):
    run = s.client.create_run(s.experiment).info.run_id
    for number in range(20):
        operation = s.client.log_metric(run, "later", number, step=number, synchronous=False)
    operation.wait()
    s.mlflow.flush_async_logging()
    same(len(s.client.get_metric_history(run, "later")), 20)


@check("MLflow's own error: a run that is not there", ("all", "short", "control"))
def no_such_run(s):
    try:
        s.client.get_run("0" * 32)
    except s.mlflow.exceptions.MlflowException as error:
        same(error.error_code, "RESOURCE_DOES_NOT_EXIST")
        return
    raise AssertionError("a run that is not there was found")


@check("MLflow's own error: a name that is taken", ("all", "control"))
def taken_name(s):
    try:
        s.client.create_experiment(f"exp {s.mark} {ODD}")
    except s.mlflow.exceptions.MlflowException as error:
        same(error.error_code, "RESOURCE_ALREADY_EXISTS")
        return
    raise AssertionError("a name was taken twice")

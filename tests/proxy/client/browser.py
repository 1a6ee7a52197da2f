"""What MLflow's user interface asks, which no client library does."""

import requests

from client.checks import check, same


def post(s, path, **more):
    headers = s.headers() | more.pop("headers", {})
    return requests.post(s.url + path, headers=headers, timeout=60, **more)


def get(s, path, **more):
    return requests.get(s.url + path, headers=s.headers(), timeout=60, **more)


@check("search by ajax-api and by GraphQL")
def searches(s):
    answer = post(s, "/ajax-api/2.0/mlflow/runs/search", json={"experiment_ids": [s.experiment]})
    same(answer.status_code, 200)
    query = 'query{ mlflowGetExperiment(input:{experimentId:"%s"}){experiment{name artifactLocation}}}' % s.experiment
    answer = post(s, "/graphql", json={"query": query})
    same(answer.status_code, 200)
    experiment = answer.json()["data"]["mlflowGetExperiment"]["experiment"]
    assert s.mark in experiment["name"], experiment


@check("history of many runs, with repeated keys in the query")
def history(s):
    found = s.client.search_runs([s.experiment], "metrics.acc >= 0", max_results=3)
    runs = [run.info.run_id for run in found]
    query = [("run_id", run) for run in runs] + [("metric_key", "acc")]
    answer = get(s, "/ajax-api/2.0/mlflow/metrics/get-history-bulk", params=query)
    same(answer.status_code, 200)
    same({it["run_id"] for it in answer.json()["metrics"]}, set(runs))


@check("artifact shown by the user interface")
def artifact(s):
    s.client.log_text(s.run, "ünï", "d/ünï-日本 x.txt")
    answer = get(s, "/get-artifact", params={"path": "d/ünï-日本 x.txt", "run_uuid": s.run})
    same((answer.status_code, answer.content), (200, "ünï".encode()))


@check("artifacts listed by the user interface")
def listed(s):
    answer = get(s, "/ajax-api/2.0/mlflow/artifacts/list", params={"run_id": s.run, "path": "d"})
    same(answer.status_code, 200)
    same([it["path"] for it in answer.json()["files"]], ["d/ünï-日本 x.txt"])
    assert answer.json()["root_uri"].startswith("mlflow-artifacts:"), answer.json()["root_uri"]


@check("version of MLflow")
def version(s):
    answer = get(s, "/version")
    same(answer.status_code, 200)
    assert answer.text[0].isdigit(), answer.text[:100]

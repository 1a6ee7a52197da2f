"""Traces with what hangs on them, datasets of evaluations, and OpenTelemetry."""

import gzip
import os
import time
from pathlib import Path

from client.checks import Missing, check, same


def trace(s):
    """Makes a trace of two spans and gives its identifier."""
    s.mlflow.set_experiment(experiment_id=s.experiment)

    @s.mlflow.trace(name="outer ü", span_type="CHAIN")
    def outer(question):
        with s.mlflow.start_span("inner") as span:
            span.set_inputs({"q": question})
            span.set_outputs("x" * 5000)
        return question + " ü"

    outer("what?")
    identifier = s.mlflow.get_last_active_trace_id()
    if hasattr(s.mlflow, "flush_trace_async_logging"):
        s.mlflow.flush_trace_async_logging()
    assert identifier, "the client has not ended its trace"
    return identifier


def is_first_kind(s):
    """Whether the client is an MLflow 2, whose traces have other names for what identifies them."""
    return s.mlflow.__version__.startswith("2.")


@check("trace logged, got, searched, tagged", ("all", "short"))
def traces(s):
    if not hasattr(s.mlflow, "get_last_active_trace_id"):
        raise Missing("get_last_active_trace_id")
    identifier = trace(s)
    got = s.client.get_trace(identifier)
    same(sorted(it.name for it in got.data.spans), ["inner", "outer ü"])
    same(got.data.spans[1].outputs if got.data.spans[1].name == "inner" else got.data.spans[0].outputs, "x" * 5000)
    s.client.set_trace_tag(identifier, "a b", "c")
    found = s.client.search_traces(experiment_ids=[s.experiment])
    identifiers = [it.info.request_id if is_first_kind(s) else it.info.trace_id for it in found]
    assert identifier in identifiers, "the trace is not found"
    s.client.delete_trace_tag(identifier, "a b")
    s.trace = identifier


@check("assessments of a trace")
def assessments(s):
    if not hasattr(s.mlflow, "log_feedback") or is_first_kind(s):
        raise Missing("log_feedback for servers that are not Databricks")
    s.mlflow.log_feedback(trace_id=s.trace, name="good", value=True, rationale="ü")
    s.mlflow.log_expectation(trace_id=s.trace, name="wanted", value="x")
    names = {it.name for it in s.client.get_trace(s.trace).info.assessments}
    same(names, {"good", "wanted"})


@check("traces deleted")
def deleted(s):
    identifier = trace(s)
    named = {"request_ids" if is_first_kind(s) else "trace_ids": [identifier]}
    same(s.client.delete_traces(experiment_id=s.experiment, **named), 1)


@check("attachment of a trace, up and down")
def attachments(s):
    try:
        from mlflow.tracing.attachments import Attachment
    except ImportError:
        raise Missing("mlflow.tracing.attachments") from None
    content = b"\0bytes" * 100
    s.mlflow.set_experiment(experiment_id=s.experiment)
    with s.mlflow.start_span("with a file") as span:
        span.set_inputs({"file": Attachment(content_type="application/octet-stream", content_bytes=content)})
        identifier = span.trace_id
    s.mlflow.flush_trace_async_logging()
    info = s.client.get_trace(identifier).info
    location = info.tags["mlflow.artifactLocation"]
    same(location.split(":")[0], "mlflow-artifacts")
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    repository = get_artifact_repository(location)
    names = [it.path for it in repository.list_artifacts("attachments")]
    same(len(names), 1)
    same(Path(repository.download_artifacts(names[0])).read_bytes(), content)


@check("dataset of an evaluation: made, filled, searched, deleted")
def datasets(s):
    genai = getattr(s.mlflow, "genai", None)
    if genai is None or not hasattr(genai, "datasets"):
        raise Missing("mlflow.genai.datasets")
    from mlflow.genai import datasets as module

    if not hasattr(module, "search_datasets"):
        raise Missing("mlflow.genai.datasets.search_datasets")
    dataset = module.create_dataset(name=f"ds {s.mark} ü", experiment_id=s.experiment, tags={"a": "b"})
    dataset.merge_records([{"inputs": {"q": f"{number}?"}, "expectations": {"a": "ü"}} for number in range(3)])
    same(len(module.get_dataset(dataset_id=dataset.dataset_id).to_df()), 3)
    found = module.search_datasets(experiment_ids=s.experiment)
    assert dataset.dataset_id in [it.dataset_id for it in found], "the dataset is not found"
    module.delete_dataset(dataset_id=dataset.dataset_id)


@check("OpenTelemetry spans, packed by gzip")
def telemetry(s):
    import requests

    try:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    except ImportError:
        raise Missing("opentelemetry.proto") from None
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.name, span.trace_id, span.span_id = "s", os.urandom(16), os.urandom(8)
    span.start_time_unix_nano = int(time.time() * 1e9)
    span.end_time_unix_nano = span.start_time_unix_nano + 1000
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
    headers |= {"x-mlflow-experiment-id": s.experiment} | s.headers()
    body = gzip.compress(request.SerializeToString())
    answer = requests.post(s.url + "/v1/traces", data=body, headers=headers, timeout=60)
    same((answer.status_code, answer.text[:200] if answer.status_code != 200 else ""), (200, ""))
    same([it.name for it in s.client.get_trace(f"tr-{span.trace_id.hex()}").data.spans], ["s"])

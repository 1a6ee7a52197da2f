"""The answer: its form, its size, its delivery, and that one comes in every case."""

import traceback

import pytest
from virtual_time import Context
from fake_sagemaker import ServiceFault

from custom_resource import response
from custom_resource.errors import ResourceError
from custom_resource.request import Request
from mlflow_app import handler


def test_repeats_the_ids_of_the_event(stage):
    event = stage.event("Create")
    answer = stage.send(event)
    for name in ("StackId", "RequestId", "LogicalResourceId"):
        assert answer[name] == event[name]
    assert answer["NoEcho"] is False


def test_has_an_empty_content_type(stage):
    stage.delete("")
    assert stage.url.content_types == [""]


@pytest.mark.parametrize("text", ["long ", "é", "𝔐", '"\\'])
def test_stays_within_4096_bytes(stage, text):
    stage.sagemaker.fault("CreateMlflowApp", ServiceFault("ResourceLimitExceeded", text * 20_000))
    answer = stage.create()
    assert answer["Status"] == "FAILED"
    assert 3900 < len(stage.url.raw[-1]) <= 4096
    assert answer["Reason"].endswith("…")


def test_names_the_log_stream(stage):
    stage.sagemaker.fault("CreateMlflowApp", ServiceFault("ResourceLimitExceeded", "no"))
    assert Context.log_stream_name in stage.create()["Reason"]


def test_is_sent_again_after_a_failure(stage):
    stage.url.statuses = [500, 503, 403]
    assert stage.delete("")["Status"] == "SUCCESS"
    assert stage.url.attempts == 4


def test_follows_a_redirect_with_the_same_method_and_body(stage):
    stage.url.statuses = [307]
    assert stage.delete("")["Status"] == "SUCCESS"
    assert stage.url.paths[1] == stage.url.paths[0] + "&redirected=1"
    assert (stage.url.attempts, len(stage.url.answers)) == (2, 1)


def test_that_nobody_takes_is_raised_so_that_lambda_repeats_the_event(stage):
    stage.url.statuses = [500] * 100
    event = stage.event("Create")
    with pytest.raises(response.NotDelivered, match="HTTP status 500") as raised:
        stage.send(event)
    assert stage.url.attempts == 5
    assert stage.url.SECRET not in str(raised.value)
    stage.url.statuses = []
    assert [stage.send(event)["PhysicalResourceId"]] == stage.sagemaker.living()


def test_to_an_unreachable_url_is_raised_without_the_url(stage):
    event = stage.event("Delete") | {"ResponseURL": f"http://127.0.0.1:1/?{stage.url.SECRET}"}
    with pytest.raises(response.NotDelivered, match="ConnectionRefusedError") as raised:
        stage.send(event)
    assert stage.url.SECRET not in "".join(traceback.format_exception(raised.value))


def test_does_not_wait_for_another_attempt_when_the_time_is_over(stage):
    stage.url.statuses = [500] * 100
    stage.seconds = 4
    with pytest.raises(response.NotDelivered):
        stage.delete("")
    assert stage.url.attempts == 2


def test_comes_when_the_client_cannot_be_made(stage):
    def broken():
        raise RuntimeError("no region")

    handler.answer(stage.event("Create"), Context(stage.clock, 900), broken, stage.clock)
    assert stage.url.answers[-1]["Status"] == "FAILED"
    assert "RuntimeError: no region" in stage.url.answers[-1]["Reason"]


def test_comes_to_an_unknown_request_type(stage):
    answer = stage.send(stage.event("Upsert"))
    assert (answer["Status"], "unknown request type 'Upsert'" in answer["Reason"]) == ("FAILED", True)


def test_an_event_without_a_url_is_refused(stage):
    with pytest.raises(ResourceError, match="ResponseURL missing"):
        stage.send(stage.event("Create") | {"ResponseURL": ""})


def test_no_text_form_of_a_request_shows_the_url(stage):
    request = Request.parse(stage.event("Create"))
    assert stage.url.SECRET not in f"{request} {request!r}"


def test_the_entry_point_runs_with_the_real_client_and_clock(stage):
    handler.handle(stage.event("Delete"), Context(stage.clock, 900))
    assert stage.url.answers[-1]["Status"] == "SUCCESS"

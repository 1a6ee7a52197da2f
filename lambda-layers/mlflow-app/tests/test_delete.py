"""Delete: gone is gone, busy is waited for, and what was never made needs no call."""

import pytest
from fake_sagemaker import Hangup, ServiceFault

from mlflow_app.lifecycle import NOT_CREATED


@pytest.fixture
def arn(stage):
    return stage.sagemaker.add(Name="tracking")


def test_waits_until_the_app_is_gone(stage, arn):
    answer = stage.delete(arn)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", arn)
    assert stage.sagemaker.living() == []
    assert sum(stage.clock.sleeps) >= stage.sagemaker.seconds["Deleting"]


@pytest.mark.parametrize("physical_id", [NOT_CREATED, "stack-App-1ABCDEF", ""])
def test_what_was_never_created_is_deleted_without_a_call(stage, physical_id):
    assert stage.delete(physical_id)["Status"] == "SUCCESS"
    assert stage.sagemaker.calls == []


def test_wrong_properties_do_not_stand_in_the_way(stage, arn):
    assert stage.delete(arn, {"Nonsense": "x"})["Status"] == "SUCCESS"


def test_an_app_that_does_not_exist_is_a_success(stage, arn):
    stage.sagemaker.apps.clear()
    assert stage.delete(arn)["Status"] == "SUCCESS"


def test_the_status_deleted_is_a_success(stage):
    arn = stage.sagemaker.add("Deleted")
    assert stage.delete(arn)["Status"] == "SUCCESS"
    assert stage.sagemaker.called("DeleteMlflowApp") == []


def test_an_app_that_disappears_at_the_call_is_a_success(stage, arn):
    stage.sagemaker.fault("DeleteMlflowApp", ServiceFault("ResourceNotFound"))
    stage.sagemaker.seconds["Deleting"] = 1
    assert stage.delete(arn)["Status"] == "SUCCESS"


def test_an_app_that_is_still_created_or_updated_is_waited_for(stage):
    for status in ("Creating", "Updating"):
        assert stage.delete(stage.sagemaker.add(status))["Status"] == "SUCCESS"
    assert stage.sagemaker.living() == []


def test_an_undeletable_state_is_waited_for(stage, arn):
    busy = ServiceFault("ValidationException", "the app is in an un-deletable state (UPDATING)")
    stage.sagemaker.fault("DeleteMlflowApp", busy, busy)
    assert stage.delete(arn)["Status"] == "SUCCESS"
    assert len(stage.sagemaker.called("DeleteMlflowApp")) == 3


def test_a_deletion_that_is_under_way_is_not_asked_for_again(stage):
    arn = stage.sagemaker.add("Deleting")
    assert stage.delete(arn)["Status"] == "SUCCESS"
    assert stage.sagemaker.called("DeleteMlflowApp") == []


def test_a_failed_deletion_is_tried_once_more_and_then_told(stage, arn):
    stage.sagemaker.ends["Deleting"] = "DeleteFailed"
    answer = stage.delete(arn)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", arn)
    assert "DeleteFailed" in answer["Reason"]
    assert len(stage.sagemaker.called("DeleteMlflowApp")) == 2


def test_a_refused_deletion_is_told(stage, arn):
    stage.sagemaker.fault("DeleteMlflowApp", ServiceFault("AccessDeniedException", "not authorized"))
    answer = stage.delete(arn)
    assert answer["Status"] == "FAILED"
    assert "not authorized" in answer["Reason"]


def test_a_lost_answer_is_no_failure(stage, arn):
    stage.sagemaker.fault("DeleteMlflowApp", Hangup(), after=True)
    assert stage.delete(arn)["Status"] == "SUCCESS"


def test_answers_30_seconds_before_the_deadline(stage, arn):
    stage.sagemaker.seconds["Deleting"] = 5000
    answer = stage.delete(arn)
    assert answer["Status"] == "FAILED"
    assert "deleting app" in answer["Reason"]
    assert stage.context.get_remaining_time_in_millis() >= 30_000

"""Create: the app is made once, waited for, and named in the answer whatever happens."""

import pytest
from mlflow_stage import PROPERTIES, ROLE, STACK_ID
from fake_sagemaker import Hangup, ServiceFault

from mlflow_app.lifecycle import NOT_CREATED

ROLE_NOT_READY = ServiceFault("ValidationException", "SageMaker is unable to perform: sts:AssumeRole on the role")


def test_waits_until_the_app_is_created_and_gives_its_arn_and_attributes(stage):
    answer = stage.create()
    arn = stage.sagemaker.living()[0]
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == arn
    assert answer["Data"] == {
        "Arn": arn,
        "MlflowAppArn": arn,
        "MlflowAppId": "app-000000000001",
        "MlflowVersion": "3.10.1",
        "Status": "Created",
        "Endpoint": "https://mlflow.sagemaker.us-east-1.app.aws",
    }


def test_polls_from_5_to_15_seconds(stage):
    stage.create()
    assert stage.clock.sleeps[:4] == [5, 10, 15, 15]
    assert max(stage.clock.sleeps) == 15


def test_sends_every_property_with_its_type(stage):
    stage.create(
        KmsKeyId="0d2c9b0e-1111-4000-8000-000000000001",
        ModelRegistrationMode="AutoModelRegistrationEnabled",
        WeeklyMaintenanceWindowStart="Tue:03:30",
        AccountDefaultStatus="ENABLED",
        DefaultDomainIdList="d-one,d-two",
        Tags=[{"Key": "team", "Value": "ml"}],
    )
    (sent,) = stage.sagemaker.called("CreateMlflowApp")
    tags = {tag["Key"]: tag["Value"] for tag in sent.pop("Tags")}
    assert sent == {
        "Name": "tracking",
        "ArtifactStoreUri": "s3://bucket/prefix",
        "RoleArn": ROLE,
        "KmsKeyId": "0d2c9b0e-1111-4000-8000-000000000001",
        "ModelRegistrationMode": "AutoModelRegistrationEnabled",
        "WeeklyMaintenanceWindowStart": "Tue:03:30",
        "AccountDefaultStatus": "ENABLED",
        "DefaultDomainIdList": ["d-one", "d-two"],
    }
    assert tags["team"] == "ml"
    assert (tags["formwork:stack-id"], tags["formwork:logical-id"]) == (STACK_ID, "App")


def test_always_states_the_registration_mode(stage):
    stage.create()
    assert stage.sagemaker.called("CreateMlflowApp")[0]["ModelRegistrationMode"] == "AutoModelRegistrationDisabled"


def test_retries_while_the_role_cannot_be_assumed_yet(stage):
    stage.sagemaker.fault("CreateMlflowApp", *[ROLE_NOT_READY] * 4)
    assert stage.create()["Status"] == "SUCCESS"
    assert len(stage.sagemaker.called("CreateMlflowApp")) == 5


def test_gives_up_on_the_role_after_two_minutes(stage):
    stage.sagemaker.fault("CreateMlflowApp", *[ROLE_NOT_READY] * 100)
    began = stage.clock.now()
    answer = stage.create()
    assert answer["Status"] == "FAILED"
    assert "sts:AssumeRole" in answer["Reason"]
    assert 90 <= stage.clock.now() - began <= 120


def test_a_refused_creation_has_the_sentinel_as_physical_id_and_is_not_repeated(stage):
    stage.sagemaker.fault("CreateMlflowApp", ServiceFault("ResourceLimitExceeded", "one app at most"))
    answer = stage.create()
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", NOT_CREATED)
    assert "one app at most" in answer["Reason"]
    assert len(stage.sagemaker.called("CreateMlflowApp")) == 1


def test_a_creation_that_fails_later_has_the_arn_as_physical_id(stage):
    stage.sagemaker.ends["Creating"] = "CreateFailed"
    answer = stage.create()
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == stage.sagemaker.living()[0]
    assert "was not created: status CreateFailed" in answer["Reason"]
    assert stage.delete(answer["PhysicalResourceId"])["Status"] == "SUCCESS"
    assert stage.sagemaker.living() == []


def test_a_poll_that_is_refused_has_the_arn_as_physical_id(stage):
    stage.sagemaker.fault("DescribeMlflowApp", ServiceFault("AccessDeniedException", "not authorized"))
    answer = stage.create()
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", stage.sagemaker.living()[0])


def test_an_app_that_is_not_visible_yet_is_waited_for(stage):
    stage.sagemaker.fault("DescribeMlflowApp", *[ServiceFault("ResourceNotFound")] * 3)
    assert stage.create()["Status"] == "SUCCESS"


def test_an_app_that_disappears_is_a_failure(stage):
    stage.sagemaker.fault("DescribeMlflowApp", *[ServiceFault("ResourceNotFound")] * 100)
    answer = stage.create()
    assert answer["Status"] == "FAILED"
    assert "disappeared" in answer["Reason"]


def test_answers_30_seconds_before_the_deadline_with_the_arn(stage):
    stage.sagemaker.seconds["Creating"] = 5000
    answer = stage.create()
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == stage.sagemaker.living()[0]
    assert "time of the function is nearly over while waiting for app" in answer["Reason"]
    assert 30 <= stage.context.get_remaining_time_in_millis() / 1000 <= 90


def test_a_repeated_event_adopts_the_app_of_its_first_run(stage):
    event = stage.event("Create")
    first, second = stage.send(event), stage.send(event)
    assert second["Status"] == "SUCCESS"
    assert second["PhysicalResourceId"] == first["PhysicalResourceId"]
    assert len(stage.sagemaker.called("CreateMlflowApp")) == 1


def test_a_repeated_event_finds_its_app_on_a_later_page_and_while_it_is_created(stage):
    event = stage.event("Create")
    for _ in range(5):
        stage.sagemaker.add(Name="tracking")
    other = stage.sagemaker.add(Name="other")
    stage.sagemaker.page_size = 2
    stage.seconds = 70  # enough to ask for the app, not to see it ready
    first = stage.send(event)
    assert first["Status"] == "FAILED"
    stage.seconds = 900
    second = stage.send(event)
    assert (second["Status"], second["PhysicalResourceId"]) == ("SUCCESS", first["PhysicalResourceId"])
    assert len(stage.sagemaker.called("CreateMlflowApp")) == 1
    assert {"ResourceArn": other} not in stage.sagemaker.called("ListTags")


@pytest.mark.parametrize("field", ["RequestId", "StackId", "LogicalResourceId"])
def test_an_app_of_another_request_stack_or_resource_is_never_adopted(stage, field):
    event = stage.event("Create")
    first = stage.send(event)
    second = stage.send(event | {field: event[field] + "x"})
    assert second["Status"] == "SUCCESS"
    assert second["PhysicalResourceId"] != first["PhysicalResourceId"]


@pytest.mark.parametrize(
    "fault", [Hangup(), ServiceFault("InternalFailure", status=500), ServiceFault("ThrottlingException")]
)
def test_a_lost_answer_does_not_make_a_second_app(stage, fault):
    stage.sagemaker.fault("CreateMlflowApp", fault, after=True)
    answer = stage.create()
    assert (answer["Status"], [answer["PhysicalResourceId"]]) == ("SUCCESS", stage.sagemaker.living())
    assert len(stage.sagemaker.called("CreateMlflowApp")) == 1


def test_a_throttled_creation_is_tried_again(stage):
    stage.sagemaker.fault("CreateMlflowApp", ServiceFault("ThrottlingException", "slow down"))
    assert stage.create()["Status"] == "SUCCESS"
    assert len(stage.sagemaker.living()) == 1


def test_throttled_and_failing_polls_are_tried_again(stage):
    stage.sagemaker.fault(
        "DescribeMlflowApp", ServiceFault("ThrottlingException"), Hangup(), ServiceFault("X", status=503)
    )
    assert stage.create()["Status"] == "SUCCESS"


def test_wrong_properties_are_told_before_any_call(stage):
    answer = stage.send(stage.event("Create", PROPERTIES | {"KmsKey": "x"}))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", NOT_CREATED)
    assert "unknown property KmsKey\nhint: did you mean KmsKeyId?" in answer["Reason"]
    assert stage.sagemaker.calls == []


def test_what_the_service_model_refuses_is_told(stage):
    # The service's page writes TUE:03:30, its model accepts Tue:03:30 only.
    answer = stage.create(WeeklyMaintenanceWindowStart="TUE:03:30")
    assert answer["Status"] == "FAILED"
    assert "TUE:03:30" in answer["Reason"]

"""Update: in place where the service can, a new app where it cannot, and back again in a rollback."""

import pytest
from mlflow_stage import OTHER_ROLE, PROPERTIES, ROLE, STACK_ID
from fake_sagemaker import ServiceFault

MUTABLE = {
    "Name": "renamed",
    "ArtifactStoreUri": "s3://other",
    "ModelRegistrationMode": "AutoModelRegistrationEnabled",
    "WeeklyMaintenanceWindowStart": "Sun:23:59",
    "AccountDefaultStatus": "ENABLED",
    "DefaultDomainIdList": ["d-one"],
}
FULL = {
    "ModelRegistrationMode": "AutoModelRegistrationDisabled",
    "WeeklyMaintenanceWindowStart": "Mon:00:00",
    "AccountDefaultStatus": "DISABLED",
    "DefaultDomainIdList": ["d-two"],
}


@pytest.fixture
def arn(stage):
    return stage.create()["PhysicalResourceId"]


@pytest.mark.parametrize("name", sorted(MUTABLE))
def test_a_changed_property_is_updated_in_place_with_all_mutable_fields(stage, name):
    arn = stage.create(**FULL)["PhysicalResourceId"]
    new = FULL | {name: MUTABLE[name]}
    answer = stage.update(arn, FULL, new)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", arn)
    (sent,) = stage.sagemaker.called("UpdateMlflowApp")
    assert sent == {"Arn": arn} | {key: (PROPERTIES | new)[key] for key in MUTABLE}
    assert answer["Data"]["Status"] == "Updated"


def test_the_registration_mode_is_sent_though_no_template_names_it(stage, arn):
    stage.update(arn, new={"ArtifactStoreUri": "s3://other"})
    assert stage.sagemaker.called("UpdateMlflowApp")[0]["ModelRegistrationMode"] == "AutoModelRegistrationDisabled"
    assert stage.sagemaker.apps[arn]["ModelRegistrationMode"] == "AutoModelRegistrationDisabled"


def test_defaults_taken_out_of_the_template_are_taken_back(stage):
    defaults = {"AccountDefaultStatus": "ENABLED", "DefaultDomainIdList": ["d-one"]}
    arn = stage.create(**defaults)["PhysicalResourceId"]
    stage.update(arn, defaults)
    (sent,) = stage.sagemaker.called("UpdateMlflowApp")
    assert (sent["AccountDefaultStatus"], sent["DefaultDomainIdList"]) == ("DISABLED", [])


def test_defaults_that_no_template_named_are_left_alone(stage, arn):
    stage.update(arn, new={"Name": "renamed"})
    (sent,) = stage.sagemaker.called("UpdateMlflowApp")
    assert not {"AccountDefaultStatus", "DefaultDomainIdList"} & set(sent)


def test_waits_until_the_app_is_updated(stage, arn):
    stage.update(arn, new={"Name": "renamed"})
    assert stage.sagemaker.status(arn) == "Updated"


def test_a_read_from_before_the_update_is_not_taken_for_its_end(stage, arn):
    before = dict(stage.sagemaker.apps[arn])
    real, reads = stage.sagemaker._DescribeMlflowApp, []

    def lagging(parameters):
        reads.append(stage.sagemaker.apps[arn]["Status"])
        stale = {name: value for name, value in before.items() if name != "until"}
        return stale if len(reads) in (2, 3) else real(parameters)

    stage.sagemaker._DescribeMlflowApp = lagging
    assert stage.update(arn, new={"Name": "renamed"})["Data"]["Status"] == "Updated"
    assert reads[1:3] == ["Updating", "Updating"]


def test_a_failed_update_keeps_the_physical_id(stage, arn):
    stage.sagemaker.ends["Updating"] = "UpdateFailed"
    answer = stage.update(arn, new={"Name": "renamed"})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", arn)
    assert "was not updated: status UpdateFailed" in answer["Reason"]


def test_a_busy_app_is_waited_for(stage, arn):
    stage.sagemaker.apps[arn] |= {"Status": "Updating", "until": stage.clock.now() + 60}
    assert stage.update(arn, new={"Name": "renamed"})["Status"] == "SUCCESS"
    stage.sagemaker.fault("UpdateMlflowApp", ServiceFault("ConflictException", "busy"))
    assert stage.update(arn, {"Name": "renamed"}, {"Name": "again"})["Status"] == "SUCCESS"


def test_tags_are_changed_by_their_difference_without_an_update(stage):
    old = [{"Key": "keep", "Value": "1"}, {"Key": "change", "Value": "1"}, {"Key": "drop", "Value": "1"}]
    new = [{"Key": "keep", "Value": "1"}, {"Key": "change", "Value": "2"}, {"Key": "add", "Value": "1"}]
    arn = stage.create(Tags=old)["PhysicalResourceId"]
    stage.sagemaker.tags[arn]["of-somebody-else"] = "1"
    answer = stage.update(arn, {"Tags": old}, {"Tags": new})
    assert answer["Status"] == "SUCCESS"
    assert stage.sagemaker.called("UpdateMlflowApp") == []
    assert stage.sagemaker.called("DeleteTags") == [{"ResourceArn": arn, "TagKeys": ["drop"]}]
    added = stage.sagemaker.called("AddTags")[0]["Tags"]
    assert added == [{"Key": "add", "Value": "1"}, {"Key": "change", "Value": "2"}]
    assert stage.sagemaker.tags[arn]["of-somebody-else"] == "1"
    assert stage.sagemaker.tags[arn]["formwork:stack-id"] == STACK_ID


def test_a_tag_that_somebody_removed_is_not_deleted_again(stage):
    old = [{"Key": "drop", "Value": "1"}]
    arn = stage.create(Tags=old)["PhysicalResourceId"]
    del stage.sagemaker.tags[arn]["drop"]
    assert stage.update(arn, {"Tags": old})["Status"] == "SUCCESS"
    assert stage.sagemaker.called("DeleteTags") == []


def test_tags_are_deleted_before_others_are_added(stage):
    old = [{"Key": f"old{i}", "Value": "1"} for i in range(46)]
    new = [{"Key": f"new{i}", "Value": "1"} for i in range(46)]
    arn = stage.create(Tags=old)["PhysicalResourceId"]
    assert stage.update(arn, {"Tags": old}, {"Tags": new})["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    "change", [{"RoleArn": OTHER_ROLE}, {"KmsKeyId": "0d2c9b0e-2222-4000-8000-000000000001"}]
)
def test_another_role_or_key_makes_a_new_app_and_keeps_the_old_one_for_the_delete(stage, arn, change):
    answer = stage.update(arn, new=change)
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] != arn
    assert stage.sagemaker.living() == [arn, answer["PhysicalResourceId"]]
    assert stage.sagemaker.called("UpdateMlflowApp") == []


def test_the_id_and_the_arn_of_one_key_are_the_same_key(stage):
    key = "0d2c9b0e-2222-4000-8000-000000000001"
    arn = stage.create(KmsKeyId=key)["PhysicalResourceId"]
    stage.sagemaker.apps[arn]["KmsKeyId"] = f"arn:aws:kms:us-east-1:123456789012:key/{key}"
    assert stage.update(arn, {"KmsKeyId": key}, {"KmsKeyId": key, "Name": "renamed"})["PhysicalResourceId"] == arn


def test_a_repeated_replacement_adopts_the_app_of_its_first_run(stage, arn):
    event = stage.event(
        "Update", PROPERTIES | {"RoleArn": OTHER_ROLE}, OldResourceProperties=PROPERTIES, PhysicalResourceId=arn
    )
    assert stage.send(event)["PhysicalResourceId"] == stage.send(event)["PhysicalResourceId"]
    assert len(stage.sagemaker.living()) == 2


def test_a_replacement_that_fails_is_named_so_that_the_rollback_deletes_it(stage, arn):
    stage.sagemaker.ends["Creating"] = "CreateFailed"
    answer = stage.update(arn, new={"RoleArn": OTHER_ROLE})
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == stage.sagemaker.living()[1]


def test_a_replacement_that_is_refused_keeps_the_physical_id(stage, arn):
    stage.sagemaker.fault("CreateMlflowApp", ServiceFault("ResourceLimitExceeded", "one app at most"))
    answer = stage.update(arn, new={"RoleArn": OTHER_ROLE})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", arn)


def test_the_rollback_of_a_refused_replacement_touches_nothing(stage, arn):
    answer = stage.update(arn, {"RoleArn": OTHER_ROLE}, {"RoleArn": ROLE})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", arn)
    assert stage.sagemaker.living() == [arn]
    assert stage.sagemaker.called("UpdateMlflowApp") == []


def test_the_rollback_of_a_replacement_returns_to_the_old_app(stage, arn):
    new = stage.update(arn, new={"RoleArn": OTHER_ROLE})["PhysicalResourceId"]
    answer = stage.update(new, {"RoleArn": OTHER_ROLE}, {"RoleArn": ROLE})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", arn)
    assert len(stage.sagemaker.called("CreateMlflowApp")) == 2


def test_an_app_that_was_deleted_by_hand_is_made_anew(stage, arn):
    stage.sagemaker.apps.clear()
    answer = stage.update(arn, new={"Name": "renamed"})
    assert answer["Status"] == "SUCCESS"
    assert [answer["PhysicalResourceId"]] == stage.sagemaker.living() != [arn]


def test_an_app_that_is_being_deleted_by_hand_is_made_anew_once_it_is_gone(stage, arn):
    stage.sagemaker.apps[arn] |= {"Status": "Deleting", "until": stage.clock.now() + 30}
    answer = stage.update(arn, new={"Name": "renamed"})
    assert answer["Status"] == "SUCCESS"
    assert [answer["PhysicalResourceId"]] == stage.sagemaker.living() != [arn]


def test_an_app_whose_creation_failed_is_replaced(stage):
    arn = stage.sagemaker.add("CreateFailed", Name="tracking", RoleArn=ROLE)
    answer = stage.update(arn)
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] != arn

"""Migrations: applied when something is missing, once, and never taken back."""

import uuid

import pytest
from fake_cloudformation import FakeResponseUrl
from fake_service import VERSIONS, FakeService
from virtual_time import Context, VirtualClock

from custom_resource.errors import DeadlineNear, ResourceError
from metaflow_migration import handler
from metaflow_migration.lifecycle import PHYSICAL_ID

STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/metaflow/0d2c9b0e-0000-4000-8000-000000000001"


class Stage:
    def __init__(self):
        self.clock, self.service, self.url = VirtualClock(), FakeService(), FakeResponseUrl()
        self.seconds = 900

    def ask(self, event):
        return handler.answer(event, Context(self.clock, self.seconds), self.service.url, self.clock)

    def send(self, kind, **fields):
        event = {
            "RequestType": kind,
            "RequestId": str(uuid.uuid4()),
            "ResponseURL": self.url.url,
            "StackId": STACK_ID,
            "ResourceType": "Custom::MetaflowSchema",
            "LogicalResourceId": "Schema",
            "ResourceProperties": {"Image": "example/service:v2.5.1"},
        }
        self.ask(event | fields)
        return self.url.answers[-1]


@pytest.fixture
def stage():
    stage = Stage()
    yield stage
    stage.service.close()
    stage.url.close()


def test_what_is_missing_is_applied(stage):
    answer = stage.send("Create")
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"] == {"SchemaVersion": VERSIONS[-1], "Status": "up to date"}
    assert answer["PhysicalResourceId"] == PHYSICAL_ID
    assert stage.service.calls.count("PATCH /upgrade") == 1


def test_nothing_is_applied_when_nothing_is_missing(stage):
    stage.service.version = VERSIONS[-1]
    assert stage.send("Update", PhysicalResourceId=PHYSICAL_ID)["Status"] == "SUCCESS"
    assert "PATCH /upgrade" not in stage.service.calls


def test_a_service_that_starts_is_waited_for(stage):
    stage.service.faults = [503] * 12
    assert stage.send("Create")["Status"] == "SUCCESS"
    assert sum(stage.clock.sleeps) > 60


def test_an_older_image_goes_on_with_newer_tables(stage):
    # What a rollback to the image before a migration finds.
    stage.service.version, stage.service.known = VERSIONS[-1], VERSIONS[:-1]
    answer = stage.send("Update", PhysicalResourceId=PHYSICAL_ID)
    assert (answer["Status"], answer["Data"]["Status"]) == ("SUCCESS", "newer than the image")
    assert "PATCH /upgrade" not in stage.service.calls


def test_a_migration_that_fails_is_told_with_what_the_service_said(stage):
    stage.service.upgrade_works = False
    answer = stage.send("Update", PhysicalResourceId=PHYSICAL_ID)
    assert answer["Status"] == "FAILED"
    assert "PATCH /upgrade with HTTP status 500: upgrade failed" in answer["Reason"]
    assert answer["PhysicalResourceId"] == PHYSICAL_ID


def test_a_migration_that_outlives_its_call_is_waited_for_and_not_begun_again(stage):
    stage.service.cuts_upgrade, stage.service.questions_until_done = True, 5
    assert stage.send("Update", PhysicalResourceId=PHYSICAL_ID)["Data"]["Status"] == "up to date"
    assert stage.service.calls.count("PATCH /upgrade") == 1


def test_a_migration_without_end_is_told_before_the_function_ends(stage):
    stage.service.cuts_upgrade, stage.service.questions_until_done = True, 10_000
    answer = stage.send("Update", PhysicalResourceId=PHYSICAL_ID)
    assert answer["Status"] == "FAILED"
    assert "migrating the tables from" in answer["Reason"] and "migrate --status" in answer["Reason"]


def test_a_service_that_never_answers_is_told(stage):
    stage.service.faults = [503] * 10_000
    answer = stage.send("Create")
    assert answer["Status"] == "FAILED" and "waiting for the metadata service" in answer["Reason"]


def test_a_database_that_is_away_for_a_moment_is_waited_for(stage):
    stage.service.version = VERSIONS[-1]
    stage.service.faults = [200, 500, 500]
    assert stage.send("Update", PhysicalResourceId=PHYSICAL_ID)["Status"] == "SUCCESS"
    stage.service.faults = [200] + [500] * 1_000
    assert "HTTP status 500" in stage.send("Update", PhysicalResourceId=PHYSICAL_ID)["Reason"]


def test_a_deletion_asks_nobody(stage):
    stage.service.close()
    assert stage.send("Delete", PhysicalResourceId=PHYSICAL_ID)["Status"] == "SUCCESS"


def test_people_may_ask_and_migrate(stage):
    status = stage.ask({"status": True})
    assert status["is_up_to_date"] is False and status["unapplied_migrations"] == VERSIONS[1:]
    assert "PATCH /upgrade" not in stage.service.calls
    assert stage.ask({})["is_up_to_date"] is True
    stage.service.faults = [503]
    with pytest.raises(ResourceError, match="does not answer: HTTP status 503"):
        stage.ask({"status": True})
    assert stage.clock.sleeps == []
    stage.service.faults = [404]
    with pytest.raises(DeadlineNear):
        stage.seconds = 20
        stage.ask({})


def test_an_unknown_request_and_an_unknown_answer_are_told(stage, monkeypatch):
    assert "unknown request type 'Upsert'" in stage.send("Upsert")["Reason"]
    monkeypatch.setattr(stage.service, "status", lambda: {"detail": "no such table"})
    with pytest.raises(ResourceError, match="no such table"):
        stage.ask({"status": True})


def test_no_answer_shows_the_url(stage):
    stage.service.upgrade_works = False
    assert stage.url.SECRET not in stage.send("Create")["Reason"]

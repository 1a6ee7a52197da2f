"""The SageMaker calls for one app: repeated while that helps, bounded by the deadline.

The client itself never repeats a call: it would repeat CreateMlflowApp after a lost answer and so make a second
app, and its pauses know nothing of the deadline.
"""

import functools
import logging

import boto3
from botocore.config import Config

from custom_resource.clock import delays
from custom_resource.errors import ResourceError

from .errors import (
    SERVICE_ERRORS,
    is_busy,
    is_missing,
    is_role_not_ready,
    is_transient,
)

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 120
# How long a read may lag behind a write that the service accepted.
LAG_SECONDS = 60


def client():
    """A client whose single call ends within CALL_SECONDS."""
    config = Config(
        connect_timeout=5,
        read_timeout=20,
        retries={"total_max_attempts": 1, "mode": "standard"},
        user_agent_extra="formwork-mlflow-app",
    )
    return boto3.client("sagemaker", config=config)


class MlflowApps:
    """The account's MLflow apps in one region."""

    def __init__(self, make_client, clock, deadline):
        self._make_client = make_client
        self._clock = clock
        self._deadline = deadline

    @functools.cached_property
    def _client(self):
        # Made at the first call, where a failure is already told to CloudFormation.
        return self._make_client()

    def create(self, parameters, find):
        """Create an app and give its ARN; `find` looks for it when an answer got lost."""
        self._deadline.doing = f"creating app {parameters['Name']}"
        started = self._clock.now()
        for delay in delays(5, 5, 15):
            self._deadline.check()
            try:
                return self._client.create_mlflow_app(**parameters)["Arn"]
            except SERVICE_ERRORS as error:
                worth_it = is_role_not_ready(error) or is_transient(error)
                if not worth_it or self._clock.now() - started + delay > PATIENCE_SECONDS:
                    raise
                log.info("CreateMlflowApp will be tried again in %s s: %s", delay, error)
                self._deadline.sleep(delay)
                if is_transient(error) and (found := find()):
                    return found

    def describe(self, arn):
        """The app, or None when there is none."""
        try:
            app = self._call("describe_mlflow_app", Arn=arn)
        except SERVICE_ERRORS as error:
            if is_missing(error):
                return None
            raise
        return None if app["Status"] == "Deleted" else app

    def update(self, arn, parameters):
        """Ask for a change, after any other operation on the app has ended."""
        self._deadline.doing = f"updating app {arn}"
        for delay in delays(5, 5, 15):
            try:
                return self._call("update_mlflow_app", Arn=arn, **parameters)
            except SERVICE_ERRORS as error:
                if not is_busy(error):
                    raise
                log.info("the app is busy, next try in %s s: %s", delay, error)
                self._deadline.sleep(delay)

    def delete(self, arn):
        """Delete the app and wait until it is gone; an app that is not there is a success."""
        asked = 0
        for delay in delays(5, 5, 15):
            app = self.describe(arn)
            if app is None:
                return
            self._deadline.doing = f"deleting app {arn} (status {app['Status']})"
            if app["Status"] == "DeleteFailed" and asked > 1:
                raise ResourceError(f"app {arn} could not be deleted: status DeleteFailed")
            if app["Status"] != "Deleting":
                asked += self._ask_to_delete(arn)
            self._deadline.sleep(delay)

    def _ask_to_delete(self, arn):
        try:
            self._call("delete_mlflow_app", Arn=arn)
        except SERVICE_ERRORS as error:
            if is_busy(error):
                log.info("the app cannot be deleted yet: %s", error)
                return 0
            if not is_missing(error):
                raise
        return 1

    def wait_until_created(self, arn):
        """Wait for a new app; a failed creation is an error."""
        started = self._clock.now()
        for delay in delays(5, 5, 15):
            app = self.describe(arn)
            status = app["Status"] if app else "not visible yet"
            self._deadline.doing = f"waiting for app {arn} (status {status})"
            if status in ("Created", "Updated"):
                return app
            if status in ("CreateFailed", "Deleting", "DeleteFailed"):
                raise ResourceError(
                    f"app {arn} was not created: status {status}\n"
                    "hint: check that its role may use the artifact bucket and the KMS key; "
                    "the service gives no reason"
                )
            if app is None and self._clock.now() - started > LAG_SECONDS:
                raise ResourceError(f"app {arn} was created and then disappeared")
            self._deadline.sleep(delay)

    def wait_until_updated(self, arn, is_as_wanted):
        """Wait for a change to end. A read from before the change is told by its fields and by the time."""
        started = self._clock.now()
        seen_updating = False
        for delay in delays(5, 5, 15):
            app = self.describe(arn)
            if app is None:
                raise ResourceError(f"app {arn} disappeared while it was updated")
            status = app["Status"]
            self._deadline.doing = f"waiting for the update of app {arn} (status {status})"
            seen_updating = seen_updating or status == "Updating"
            current = seen_updating or is_as_wanted(app) or self._clock.now() - started > LAG_SECONDS
            if status in ("Created", "Updated") and current:
                return app
            if status == "UpdateFailed" and current:
                raise ResourceError(f"app {arn} was not updated: status UpdateFailed; the service gives no reason")
            if status in ("Deleting", "DeleteFailed"):
                raise ResourceError(f"app {arn} was not updated: status {status}")
            self._deadline.sleep(delay)

    def settle(self, arn):
        """The app once no operation is under way, or None when it is gone."""
        for delay in delays(5, 5, 15):
            app = self.describe(arn)
            if app is None or app["Status"] not in ("Creating", "Updating", "Deleting"):
                return app
            self._deadline.doing = f"waiting for app {arn} (status {app['Status']})"
            self._deadline.sleep(delay)

    def named(self, name):
        """ARNs of the living apps of a name: the service lists by status and time only."""
        token = {}
        while True:
            page = self._call("list_mlflow_apps", MaxResults=100, **token)
            for app in page.get("Summaries", []):
                if app.get("Name") == name and app.get("Status") not in ("Deleting", "Deleted"):
                    yield app["Arn"]
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def tags(self, arn):
        """All tags of an app, by key."""
        tags, token = {}, {}
        while True:
            page = self._call("list_tags", ResourceArn=arn, **token)
            tags |= {tag["Key"]: tag["Value"] for tag in page.get("Tags", [])}
            if not page.get("NextToken"):
                return tags
            token = {"NextToken": page["NextToken"]}

    def change_tags(self, arn, remove, add):
        """Remove keys, then add values: in this order the limit of 50 tags is not crossed on the way."""
        if remove:
            self._call("delete_tags", ResourceArn=arn, TagKeys=sorted(remove))
        if add:
            tags = [{"Key": key, "Value": value} for key, value in sorted(add.items())]
            self._call("add_tags", ResourceArn=arn, Tags=tags)

    def _call(self, operation, **parameters):
        """One call that may be repeated safely, through throttling and short failures."""
        started = self._clock.now()
        for delay in delays(2, 3, 15):
            self._deadline.check()
            try:
                return getattr(self._client, operation)(**parameters)
            except SERVICE_ERRORS as error:
                if not is_transient(error) or self._clock.now() - started + delay > PATIENCE_SECONDS:
                    raise
                log.info("%s will be tried again in %s s: %s", operation, delay, error)
                self._deadline.sleep(delay)

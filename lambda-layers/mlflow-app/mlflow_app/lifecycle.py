"""What a Create, an Update and a Delete do.

`physical_id` always names what exists at this moment, so that a failure at any point tells CloudFormation what its
rollback has to delete.
"""

import logging

from custom_resource.errors import ResourceError

from .endpoint import app_id, endpoint, is_app_arn
from .ownership import REPLACES, made_by, own_tags
from .properties import AppProperties, differs, tags_of

log = logging.getLogger(__name__)

# The physical id of a resource whose creation the service refused. Deleting it succeeds without a call.
NOT_CREATED = "formwork:mlflow-app:not-created"


class Lifecycle:
    """One request on its way."""

    def __init__(self, request, apps):
        self._request = request
        self._apps = apps
        self.physical_id = request.physical_id or NOT_CREATED

    def run(self):
        """Carry out the request and give the attributes of the resource."""
        match self._request.kind:
            case "Create":
                return self._make(self._wanted())
            case "Update":
                return self._update(self._wanted())
            case "Delete":
                return self._delete()
            case kind:
                raise ResourceError(f"unknown request type {kind!r}")

    def _wanted(self):
        return AppProperties.parse(self._request.properties)

    def _make(self, wanted, replaces=None):
        def find():
            return next((arn for arn in self._apps.named(wanted.name) if self._is_mine(arn)), None)

        arn = find()
        if arn:
            log.info("app %s was made by an earlier run of this request", arn)
        else:
            tags = own_tags(self._request, replaces)
            arn = self._apps.create(wanted.create_parameters(tags), find)
            log.info("app %s is being created", arn)
        self.physical_id = arn
        return _attributes(self._apps.wait_until_created(arn))

    def _is_mine(self, arn):
        return made_by(self._request, self._apps.tags(arn))

    def _update(self, wanted):
        arn = self._request.physical_id
        current = self._apps.settle(arn) if is_app_arn(arn) else None
        if current is None:
            # Somebody deleted it by hand. A failure here would also fail the rollback and leave the stack stuck.
            log.warning("app %s does not exist (any more), so a new one is made", arn)
            return self._make(wanted)
        if current["Status"] != "CreateFailed" and not wanted.needs_replacement(current):
            return self._change(current, wanted)
        predecessor = self._predecessor(arn, wanted)
        if predecessor:
            log.info("app %s still exists and is as wanted, so the stack returns to it", predecessor["Arn"])
            self.physical_id = predecessor["Arn"]
            return self._change(predecessor, wanted)
        return self._make(wanted, replaces=arn)

    def _predecessor(self, arn, wanted):
        """The app that this one took the place of, when a rollback asks for it back before it was deleted."""
        replaced = self._apps.tags(arn).get(REPLACES)
        if not is_app_arn(replaced):
            return None
        app = self._apps.settle(replaced)
        usable = app and app["Status"] != "CreateFailed" and not wanted.needs_replacement(app)
        return app if usable else None

    def _change(self, app, wanted):
        arn = app["Arn"]
        parameters = wanted.update_parameters(self._request.old_properties)
        if differs(parameters, app):
            self._apps.update(arn, parameters)
            app = self._apps.wait_until_updated(arn, lambda read: not differs(parameters, read))
        self._change_tags(arn, wanted)
        return _attributes(app)

    def _change_tags(self, arn, wanted):
        """Only tags that a template named are touched: others on the app belong to somebody else."""
        old, new = tags_of(self._request.old_properties), wanted.tags
        if old == new:
            return
        actual = self._apps.tags(arn)
        remove = [key for key in old if key not in new and key in actual]
        add = {key: value for key, value in new.items() if actual.get(key) != value}
        self._apps.change_tags(arn, remove, add)

    def _delete(self):
        if is_app_arn(self._request.physical_id):
            self._apps.delete(self._request.physical_id)
        else:
            log.info("%r names no app, so nothing has to be deleted", self._request.physical_id)
        return {}


def _attributes(app):
    """What Fn::GetAtt gives: the attributes of the native type, and those that the native type lacks."""
    arn = app["Arn"]
    return {
        "Arn": arn,
        "MlflowAppArn": arn,
        "MlflowAppId": app_id(arn),
        "MlflowVersion": app.get("MlflowVersion", ""),
        "Status": app["Status"],
        "Endpoint": endpoint(arn),
    }

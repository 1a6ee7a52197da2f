"""The properties of the resource: from CloudFormation's strings to the service's parameters.

A custom resource has no schema that CloudFormation would check, so a misspelt property is refused here instead of
being ignored.
"""

import difflib
from dataclasses import dataclass

from custom_resource.errors import ResourceError

from .ownership import OWN_PREFIX, OWN_TAGS

REGISTRATION_MODES = ("AutoModelRegistrationEnabled", "AutoModelRegistrationDisabled")
DEFAULT_STATUSES = ("ENABLED", "DISABLED")
TAGS_AT_MOST = 50 - OWN_TAGS

_REQUIRED = ("Name", "ArtifactStoreUri", "RoleArn")
_OPTIONAL = (
    "AccountDefaultStatus",
    "DefaultDomainIdList",
    "KmsKeyId",
    "ModelRegistrationMode",
    "Tags",
    "WeeklyMaintenanceWindowStart",
)
_OF_CLOUDFORMATION = ("ServiceToken", "ServiceTimeout")


@dataclass(frozen=True)
class AppProperties:
    """The wanted app. None means that the template does not speak about it."""

    name: str
    artifact_store_uri: str
    role_arn: str
    kms_key_id: str | None
    model_registration_mode: str
    maintenance_window: str | None
    account_default_status: str | None
    default_domains: list | None
    tags: dict

    @classmethod
    def parse(cls, raw):
        """Check and convert; the error names the property and what it may be."""
        _refuse_unknown(raw)
        for name in _REQUIRED:
            if not _text(raw, name):
                raise ResourceError(f"property {name} is missing or empty")
        return cls(
            name=_text(raw, "Name"),
            artifact_store_uri=_text(raw, "ArtifactStoreUri"),
            role_arn=_text(raw, "RoleArn"),
            kms_key_id=_key(raw),
            # The service's default differs: off when an app is created, on when it is updated. So it is always sent.
            model_registration_mode=_choice(raw, "ModelRegistrationMode", REGISTRATION_MODES)
            or "AutoModelRegistrationDisabled",
            maintenance_window=_text(raw, "WeeklyMaintenanceWindowStart"),
            account_default_status=_choice(raw, "AccountDefaultStatus", DEFAULT_STATUSES),
            default_domains=_list(raw, "DefaultDomainIdList"),
            tags=_checked_tags(raw),
        )

    def create_parameters(self, own_tags):
        """Parameters of CreateMlflowApp; absent properties are left to the service."""
        tags = self.tags | own_tags
        return _without_none(
            Name=self.name,
            ArtifactStoreUri=self.artifact_store_uri,
            RoleArn=self.role_arn,
            KmsKeyId=self.kms_key_id,
            ModelRegistrationMode=self.model_registration_mode,
            WeeklyMaintenanceWindowStart=self.maintenance_window,
            AccountDefaultStatus=self.account_default_status,
            DefaultDomainIdList=self.default_domains or None,
            Tags=[{"Key": key, "Value": value} for key, value in sorted(tags.items())],
        )

    def update_parameters(self, old_raw):
        """Parameters of UpdateMlflowApp without the Arn: all that can change, because what is left out may be reset.

        A default that was in the old template and is not in the new one is taken back. A maintenance window that
        was taken out stays as it is: the service has no value for "none".
        """
        status, domains = self.account_default_status, self.default_domains
        if status is None and old_raw.get("AccountDefaultStatus"):
            status = "DISABLED"
        if domains is None and old_raw.get("DefaultDomainIdList"):
            domains = []
        return _without_none(
            Name=self.name,
            ArtifactStoreUri=self.artifact_store_uri,
            ModelRegistrationMode=self.model_registration_mode,
            WeeklyMaintenanceWindowStart=self.maintenance_window,
            AccountDefaultStatus=status,
            DefaultDomainIdList=domains,
        )

    def needs_replacement(self, app):
        """Whether the described app cannot become the wanted one: its role or its key is another.

        The app itself is asked, not the old template: when a stack rolls back, the old template's properties
        describe an app that was never made.
        """
        return app.get("RoleArn") != self.role_arn or _key_id(app.get("KmsKeyId")) != _key_id(self.kms_key_id)


def differs(parameters, app):
    """Whether the described app lacks any of the update's parameters."""
    for name, value in parameters.items():
        actual = app.get(name)
        if isinstance(value, list):
            if sorted(value) != sorted(actual or []):
                return True
        elif actual != value:
            return True
    return False


def tags_of(raw):
    """The tags of a template, as far as they can be read, by key."""
    tags = raw.get("Tags") or []
    return {tag["Key"]: str(tag.get("Value", "")) for tag in tags if isinstance(tag, dict) and tag.get("Key")}


def _refuse_unknown(raw):
    known = _REQUIRED + _OPTIONAL + _OF_CLOUDFORMATION
    for name in sorted(raw):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(_REQUIRED + _OPTIONAL))}"
            raise ResourceError(f"unknown property {name}\nhint: {hint}")


def _text(raw, name):
    value = raw.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ResourceError(f"property {name} must be a string, not {value!r}")
    return value


def _choice(raw, name, choices):
    value = _text(raw, name)
    if value is not None and value not in choices:
        raise ResourceError(f"property {name} is {value!r}\nhint: it may be {' or '.join(choices)}")
    return value


def _list(raw, name):
    value = raw.get(name)
    if value is None:
        return None
    # A CommaDelimitedList that was joined, or a single value, arrives as one string.
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ResourceError(f"property {name} must be a list of strings, not {value!r}")
    return [item.strip() for item in items if item.strip()]


def _key(raw):
    value = _text(raw, "KmsKeyId")
    if value is not None and "alias/" in value:
        raise ResourceError(
            f"property KmsKeyId is the alias {value!r}\n"
            "hint: an app keeps the key it was made with while an alias can move; name the key's id or ARN"
        )
    return value


def _key_id(key):
    return key.rsplit("/", 1)[-1] if key else ""


def _checked_tags(raw):
    tags = tags_of(raw)
    if not isinstance(raw.get("Tags") or [], list) or len(tags) != len(raw.get("Tags") or []):
        raise ResourceError("property Tags must be a list of Key and Value pairs with distinct keys")
    for key in tags:
        if key.startswith((OWN_PREFIX, "aws:")):
            raise ResourceError(f"tag {key!r} has a reserved prefix\nhint: choose a key without {key.split(':')[0]}:")
    if len(tags) > TAGS_AT_MOST:
        raise ResourceError(f"{len(tags)} tags are too many\nhint: an app carries at most {TAGS_AT_MOST} besides our own")
    return tags


def _without_none(**parameters):
    return {name: value for name, value in parameters.items() if value is not None}

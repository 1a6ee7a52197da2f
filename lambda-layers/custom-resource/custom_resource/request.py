"""What CloudFormation asks for."""

from dataclasses import dataclass, field

from .errors import ResourceError

KINDS = ("Create", "Update", "Delete")


@dataclass(frozen=True)
class Request:
    """One event, checked. The answer's URL is a credential and stays out of every text form."""

    kind: str
    stack_id: str
    request_id: str
    logical_id: str
    physical_id: str
    properties: dict
    old_properties: dict
    response_url: str = field(repr=False)

    @classmethod
    def parse(cls, event):
        """Read an event; without the fields that an answer needs there is nobody to tell, so this raises."""
        needed = ("RequestType", "ResponseURL", "StackId", "RequestId", "LogicalResourceId")
        missing = [name for name in needed if not event.get(name)]
        if missing:
            raise ResourceError(f"not an event of a custom resource: {', '.join(missing)} missing")
        return cls(
            kind=event["RequestType"],
            stack_id=event["StackId"],
            request_id=event["RequestId"],
            logical_id=event["LogicalResourceId"],
            physical_id=event.get("PhysicalResourceId") or "",
            properties=event.get("ResourceProperties") or {},
            old_properties=event.get("OldResourceProperties") or {},
            response_url=event["ResponseURL"],
        )

    def __str__(self):
        return f"{self.kind} of {self.logical_id} in {self.stack_id} (request {self.request_id})"

"""What ends a request with a text of our own."""


class ResourceError(Exception):
    """The request cannot be carried out; the text goes to the stack's events."""


class DeadlineNear(ResourceError):
    """The function's time is nearly over, so CloudFormation must be answered now."""

"""What goes wrong, and which of it is worth another try.

SageMaker reports the same condition under several codes; the names here are the conditions.
"""

import re

from botocore.exceptions import ClientError, HTTPClientError

SERVICE_ERRORS = (ClientError, HTTPClientError)

_TRANSIENT_CODES = {
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "LimitExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_BUSY_MESSAGE = re.compile(r"un-?(deletable|updatable) state|in progress|currently being", re.IGNORECASE)
_MISSING_MESSAGE = re.compile(r"could not find|does not exist|not found", re.IGNORECASE)


def code(error):
    """The service's error code, or an empty string for an error of the network."""
    return error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""


def message(error):
    """The service's error text."""
    return error.response.get("Error", {}).get("Message", "") if isinstance(error, ClientError) else str(error)


def is_missing(error):
    """The app does not exist (any more)."""
    if code(error) in ("ResourceNotFound", "ResourceNotFoundException"):
        return True
    return code(error) == "ValidationException" and bool(_MISSING_MESSAGE.search(message(error)))


def is_busy(error):
    """Another operation on the app is under way: wait, then ask again."""
    if code(error) == "ConflictException":
        return True
    return code(error) == "ValidationException" and bool(_BUSY_MESSAGE.search(message(error)))


def is_role_not_ready(error):
    """The service cannot assume the role yet: a new role takes a while to reach every part of IAM."""
    return code(error) == "ValidationException" and "sts:AssumeRole" in message(error)


def is_transient(error):
    """The service or the network had a bad moment; whether the call took effect is unknown."""
    if isinstance(error, HTTPClientError):
        return True
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code(error) in _TRANSIENT_CODES or status >= 500 or status == 429

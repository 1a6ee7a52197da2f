"""From an event to an answer, whatever happens between.

CloudFormation waits up to an hour for an answer, so every failure is caught here and told.
"""

import logging

from . import response
from .errors import ResourceError
from .request import Request

log = logging.getLogger(__name__)
logging.getLogger(__package__).setLevel(logging.INFO)


def answer(event, context, clock, make_deadline, begin):
    """Carry out one event and deliver the answer.

    `begin` takes the request and the deadline and gives what carries it out: an object whose `run` gives the attributes
    of the resource, and whose `physical_id` names what exists at any moment.
    """
    request = Request.parse(event)
    deadline = make_deadline(context, clock)
    work = begin(request, deadline)
    log.info("%s begins", request)
    try:
        encoded = _success(request, work)
    except Exception as error:  # every failure has to be told, also one of ours
        encoded = _failure(request, work, error, context)
    response.deliver(request, encoded, clock, deadline)


def _success(request, work):
    data = work.run()
    log.info("%s succeeded: %s", request, work.physical_id)
    return response.body(request, "SUCCESS", work.physical_id, data=data)


def _failure(request, work, error, context):
    # A text of our own needs no type and no trace; anything else does.
    known = isinstance(error, ResourceError)
    log.error("%s failed: %s", request, error, exc_info=None if known else error)
    reason = str(error) if known else f"{type(error).__name__}: {error}"
    where = getattr(context, "log_stream_name", "")
    if where:
        reason += f" (log stream {where})"
    return response.body(request, "FAILED", work.physical_id, reason=reason)

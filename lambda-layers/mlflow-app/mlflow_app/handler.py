"""The function's entry point: from an event to an answer, whatever happens between.

CloudFormation waits up to an hour for an answer, so every failure is caught here and told.
"""

import logging

from . import response
from .clock import Clock, Deadline
from .errors import AppError
from .lifecycle import Lifecycle
from .request import Request
from .service import MlflowApps, client

log = logging.getLogger(__name__)
logging.getLogger(__package__).setLevel(logging.INFO)


def handle(event, context):
    """What Lambda calls."""
    answer(event, context, client, Clock())


def answer(event, context, make_client, clock):
    """Carry out one event and deliver the answer. Client and clock are given, so that tests need neither AWS nor time."""
    request = Request.parse(event)
    deadline = Deadline(context, clock)
    lifecycle = Lifecycle(request, MlflowApps(make_client, clock, deadline))
    log.info("%s begins", request)
    try:
        encoded = _success(request, lifecycle)
    except Exception as error:  # every failure has to be told, also one of ours
        encoded = _failure(request, lifecycle, error, context)
    response.deliver(request, encoded, clock, deadline)


def _success(request, lifecycle):
    data = lifecycle.run()
    log.info("%s succeeded: %s", request, lifecycle.physical_id)
    return response.body(request, "SUCCESS", lifecycle.physical_id, data=data)


def _failure(request, lifecycle, error, context):
    # A text of our own needs no type and no trace; anything else does.
    known = isinstance(error, AppError)
    log.error("%s failed: %s", request, error, exc_info=None if known else error)
    reason = str(error) if known else f"{type(error).__name__}: {error}"
    where = getattr(context, "log_stream_name", "")
    if where:
        reason += f" (log stream {where})"
    return response.body(request, "FAILED", lifecycle.physical_id, reason=reason)

"""The function's entry point."""

import functools
import logging

from custom_resource.answering import answer as answer_event
from custom_resource.clock import Clock, Deadline

from .lifecycle import Lifecycle
from .service import MlflowApps, client

logging.getLogger(__package__).setLevel(logging.INFO)

WAY_OUT = (
    "an app is usually ready in 2 to 5 minutes; give the function its maximum of 900 seconds, then deploy again"
)
deadline_of = functools.partial(Deadline, hint=WAY_OUT)


def handle(event, context):
    """What Lambda calls."""
    answer(event, context, client, Clock())


def answer(event, context, make_client, clock):
    """Carry out one event and deliver the answer. Client and clock are given, so that tests need neither AWS nor time."""

    def begin(request, deadline):
        return Lifecycle(request, MlflowApps(make_client, clock, deadline))

    answer_event(event, context, clock, deadline_of, begin)

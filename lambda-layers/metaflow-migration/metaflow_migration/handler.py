"""The function's entry point, for CloudFormation and for people.

CloudFormation sends the events of a custom resource. Anybody else may ask by an event of their own: `{"status": true}`
for how things are, and anything else, as the public template has it, for a migration.
"""

import functools
import logging
import os

from custom_resource.answering import answer as answer_event
from custom_resource.clock import Clock, Deadline

from .lifecycle import Lifecycle
from .schema import Schema

logging.getLogger(__package__).setLevel(logging.INFO)

WAY_OUT = (
    "a migration of a large database may take longer than the function: `formwork metaflow migrate --status` tells "
    "when it is done, then deploy again"
)


def handle(event, context):
    """What Lambda calls. The function's environment names the server that applies migrations."""
    return answer(event, context, os.environ["MIGRATION_URL"], Clock())


def answer(event, context, url, clock):
    """Carry out one event. URL and clock are given, so that tests need neither a load balancer nor time."""
    deadline_of = functools.partial(Deadline, hint=WAY_OUT)
    if "ResponseURL" in event:

        def begin(request, deadline):
            return Lifecycle(request, Schema(url, clock, deadline))

        return answer_event(event, context, clock, deadline_of, begin)
    schema = Schema(url, clock, deadline_of(context, clock))
    if event.get("status"):
        return schema.status_now().report()
    schema.wait_for_server()
    return schema.migrate().report()

"""What AWS Step Functions does and moto 5.2.5 does not, as far as the state machines of Metaflow need it."""

import re
import sys
import uuid

from moto.core.config import default_user_config
from moto.stepfunctions.parser import models
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_batch import (
    StateTaskServiceBatch,
)
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for

# What is in these is the author's own, and keeps its letters.
FREE = ("parameters", "tags")


def mend():
    """Puts it right in this process."""
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    name_executions()
    speak_to_batch()
    take_unions()


def name_executions():
    """An execution without a name gets one of its own."""
    start = models.StepFunctionsParserBackend.start_execution

    def starting(self, state_machine_arn, name=None, execution_input=None, trace_header=None):
        return start(self, state_machine_arn, name or str(uuid.uuid4()), execution_input, trace_header)

    models.StepFunctionsParserBackend.start_execution = starting


def renamed(value, letter, top=True):
    """Keys with their first letter changed, but for those that are the author's own."""
    if isinstance(value, list):
        return [renamed(one, letter, False) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        letter(name[:1]) + name[1:]: one if name.lower() in FREE else renamed(one, letter, False)
        for name, one in value.items()
    }


def speak_to_batch():
    """State machines write `JobName` where the API of AWS Batch takes `jobName`, and read it so."""
    resolver = StateTaskServiceBatch._build_sync_resolver

    def submitting(self, env, resource_runtime_part, normalised_parameters, state_credentials):
        client = boto_client_for(
            region=resource_runtime_part.region, service="batch", state_credentials=state_credentials
        )
        answer = client.submit_job(**renamed(normalised_parameters, str.lower))
        env.stack.append({"JobId": answer["jobId"], "JobName": answer["jobName"], "JobArn": answer.get("jobArn", "")})

    def resolving(self, *arguments, **named):
        resolve = resolver(self, *arguments, **named)

        def answer():
            found = resolve()
            return renamed(found, str.upper) if isinstance(found, dict) else found

        return answer

    StateTaskServiceBatch._eval_service_task = submitting
    StateTaskServiceBatch._build_sync_resolver = resolving


def take_unions():
    """`$.['A','B']` is an object with those members that are there."""
    extract = json_path.extract_json

    def extracting(path, data):
        union = re.fullmatch(r"\$\.?\[('[^']+'(?:\s*,\s*'[^']+')+)\]", path)
        if union and isinstance(data, dict):
            return {name: data[name] for name in re.findall(r"'([^']+)'", union.group(1)) if name in data}
        return extract(path, data)

    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("moto.stepfunctions"):
            if getattr(module, "extract_json", None) is extract:
                module.extract_json = extracting

"""Plays STS, Secrets Manager, CloudWatch Logs and the presigning calls of SageMaker, each for requests with a good signature."""

import asyncio
import datetime
import json
import uuid
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from aiohttp import web

from verify.received import Received
from verify.signature import Endpoint, Refused
from verify.state import ACCOUNT

ROLE = f"arn:aws:iam::{ACCOUNT}:role/FlaskMlflowRole"
STS = Endpoint("sts")
ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>\
<Arn>arn:aws:sts::{account}:assumed-role/FlaskMlflowRole/s</Arn><AssumedRoleId>AROA:s</AssumedRoleId></AssumedRoleUser>\
<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}\
</SessionToken><Expiration>{expires}</Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>{id}\
</RequestId></ResponseMetadata></AssumeRoleResponse>"""
FAILED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>{code}</Code>\
<Message>{message}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"""


def xml(text, status=200):
    return web.Response(status=status, content_type="text/xml", text=text)


def failed(code, message, status):
    return xml(FAILED.format(code=escape(code), message=escape(message), id=uuid.uuid4()), status)


def sts(state):
    """AssumeRole of the Query protocol."""

    async def handle(request):
        with await Received.read(request) as received:
            state.counts["sts asked"] += 1
            try:
                received.verify(STS, state, "base")
            except Refused as refused:
                state.refuse(received.signed, refused)
                return failed(refused.code, refused.message, 403)
            fault = state.fault("sts")
            if fault:
                await asyncio.sleep(fault.get("delay", 0))
                if "code" in fault:
                    return failed(fault["code"], "by order of the test", fault.get("status", 400))
            form = {name: values[0] for name, values in parse_qs(received.bytes().decode()).items()}
            if form.get("Action") == "GetCallerIdentity":
                return failed("InvalidAction", "only AssumeRole is played", 400)
            if (form.get("Action"), form.get("RoleArn")) != ("AssumeRole", ROLE):
                return failed("AccessDenied", f"not authorized to assume {form.get('RoleArn')}", 403)
            state.counts["sts"] += 1
            key, session = state.assume()
            when = datetime.datetime.fromtimestamp(session.expires, datetime.timezone.utc)
            return xml(
                ASSUMED.format(
                    account=ACCOUNT, key=key, secret=escape(session.secret), token=escape(session.token),
                    expires=when.strftime("%Y-%m-%dT%H:%M:%SZ"), id=uuid.uuid4(),
                )
            )  # fmt: skip

    return handle


class Failure(Exception):
    """An error of a service with the JSON protocol."""

    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.status = code, status


def get_secret_value(state, body):
    if state.settings["secret"] is None:
        message = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
        raise Failure("ResourceNotFoundException", message)
    return {"ARN": body["SecretId"], "Name": "users", "VersionId": "v", "SecretString": state.settings["secret"]}


def presigned(kind):
    def answer(state, body):
        if not 5 <= body.get("ExpiresInSeconds", 300) <= 300:
            raise Failure("ValidationException", "ExpiresInSeconds is out of range")
        return {"AuthorizedUrl": f"https://ui.example.com/auth?kind={kind}&token={uuid.uuid4().hex}"}

    return answer


def put_log_events(state, body):
    state.logged.extend(event["message"] for event in body["logEvents"])
    return {"nextSequenceToken": "1"}


def nothing(state, body):
    return {}


# The target of the header, the service of the scope, whose credentials, and the answer.
OPERATIONS = {
    "secretsmanager.GetSecretValue": ("secretsmanager", "base", get_secret_value),
    "SageMaker.CreatePresignedMlflowTrackingServerUrl": ("sagemaker", "assumed", presigned("tracking")),
    "SageMaker.CreatePresignedMlflowAppUrl": ("sagemaker", "assumed", presigned("app")),
    "Logs_20140328.CreateLogStream": ("logs", "base", nothing),
    "Logs_20140328.PutLogEvents": ("logs", "base", put_log_events),
}


def json_services(state):
    """The services that speak JSON to POST / with X-Amz-Target."""

    async def handle(request):
        with await Received.read(request) as received:
            target = request.headers.get("X-Amz-Target", "")
            try:
                service, kind, answer = OPERATIONS.get(target) or ("", "", None)
                if answer is None:
                    raise Refused("UnknownOperationException", f"X-Amz-Target is {target!r}")
                received.verify(Endpoint(service), state, kind)
                state.counts[target] += 1
                body, status = answer(state, json.loads(received.bytes())), 200
            except Refused as refused:
                state.refuse(received.signed, refused)
                body, status = {"__type": refused.code, "message": refused.message}, 400
            except Failure as failure:
                body, status = {"__type": failure.code, "message": str(failure)}, failure.status
            return web.Response(status=status, content_type="application/x-amz-json-1.1", text=json.dumps(body))

    return handle

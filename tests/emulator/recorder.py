"""Writes down each request that the emulator gets: what was asked for, of what, and whether it went well.

Tests prove by it what was not done: a run without changes that writes nothing. One line of JSON a request, with the
members service, operation, region, stack (where CloudFormation is asked about one) and status.
"""

import json
from threading import Lock
from urllib.parse import parse_qs


class Recorder:
    """A file that grows by a line for each request."""

    def __init__(self, path):
        self._path, self._lock = path, Lock()
        # The stacks of change sets, by the change set's name.
        self._stacks = {}

    def note(self, **request):
        if self._path:
            with self._lock, open(self._path, "a", encoding="utf-8") as file:
                file.write(json.dumps(request) + "\n")

    def around(self, application):
        """An ASGI application that is answered by another one, after its requests were read."""

        async def recording(scope, receive, send):
            if scope["type"] != "http" or scope["path"].startswith("/_ministack/"):
                return await application(scope, receive, send)
            body, messages = b"", []
            while True:
                message = await receive()
                messages.append(message)
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break

            async def receive_again():
                return messages.pop(0) if messages else await receive()

            async def sending(message):
                if message["type"] == "http.response.start":
                    self.note(**self._described(scope, body), status=message["status"])
                await send(message)

            await application(scope, receive_again, sending)

        return recording

    def _described(self, scope, body):
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        # Credential=ID/DATE/REGION/SERVICE/aws4_request
        credential = headers.get("authorization", "").partition("Credential=")[2].split(",")[0].split("/")
        region, service = credential[2:4] if len(credential) == 5 else ("", "")
        request = {"service": service, "operation": f"{scope['method']} {scope['path']}", "region": region}
        target = headers.get("x-amz-target")
        if target:
            return request | {"operation": target.rpartition(".")[2]}
        if scope["method"] == "POST" and "form-urlencoded" in headers.get("content-type", ""):
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            request["operation"] = form.get("Action", request["operation"])
            stack = self._stack(form)
            return request | {"stack": stack} if stack else request
        return request

    def _stack(self, form):
        """The stack that a request is about, also where it names a change set by its ARN only."""
        stack, change_set = form.get("StackName"), form.get("ChangeSetName", "")
        name = change_set.split("/")[1] if change_set.startswith("arn:") else change_set
        if stack and name:
            self._stacks[name] = stack
        return stack or self._stacks.get(name)

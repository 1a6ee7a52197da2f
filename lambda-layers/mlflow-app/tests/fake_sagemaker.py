"""A SageMaker endpoint on loopback that knows MLflow apps.

It speaks AWS JSON 1.1, checks every request against botocore's own model of the service (members, lengths,
patterns, enums) and lets apps change their status as virtual time passes. Faults are scripted per operation.
"""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore.session

ACCOUNT = "123456789012"
MODEL = botocore.session.get_session().get_service_model("sagemaker")
SECONDS = {"Creating": 150, "Updating": 40, "Deleting": 30}


class ServiceFault(Exception):
    def __init__(self, code, message="", status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class Hangup(Exception):
    """Close the connection without an answer."""


class FakeSageMaker:
    def __init__(self, clock, region="us-east-1", partition="aws"):
        self.clock, self.region, self.partition = clock, region, partition
        self.apps, self.tags, self.calls = {}, {}, []
        self.seconds = dict(SECONDS)
        self.ends = {}  # the outcome of an operation when it is not its success: {"Creating": "CreateFailed"}
        self.page_size = 100
        self._faults, self._count = {}, 0
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fake._answer(self, self.headers["X-Amz-Target"], json.loads(body))

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def fault(self, operation, *faults, after=False):
        """The next calls of an operation fail like this, one after the other; `after` it took effect."""
        self._faults.setdefault(operation, []).extend((fault, after) for fault in faults)

    def called(self, operation):
        """The parameters of every call of an operation."""
        return [parameters for name, parameters in self.calls if name == operation]

    def add(self, status="Created", tags=None, **fields):
        """An app that is there already."""
        arn = self._new_arn()
        app = {"Arn": arn, "Status": status, "MlflowVersion": "3.10.1", "Name": "app"} | fields
        app.setdefault("ModelRegistrationMode", "AutoModelRegistrationDisabled")
        self.apps[arn], self.tags[arn] = app, dict(tags or {})
        app["until"] = self.clock.now() + self.seconds.get(status, 0)
        return arn

    def status(self, arn):
        self._advance()
        return self.apps[arn]["Status"] if arn in self.apps else None

    def living(self):
        self._advance()
        return [arn for arn, app in self.apps.items() if app["Status"] != "Deleted"]

    def _answer(self, http, target, parameters):
        operation = target.removeprefix("SageMaker.")
        self.calls.append((operation, parameters))
        try:
            fault, after = self._faults[operation].pop(0) if self._faults.get(operation) else (None, False)
            if fault and not after:
                raise fault
            result = self._run(operation, parameters)
            if fault:
                raise fault
            status, document = 200, result
        except ServiceFault as error:
            status, document = error.status, {"__type": error.code, "message": error.message}
        except Hangup:
            http.close_connection = True
            return
        encoded = json.dumps(document).encode()
        http.send_response(status)
        http.send_header("Content-Type", "application/x-amz-json-1.1")
        http.send_header("Content-Length", str(len(encoded)))
        http.end_headers()
        http.wfile.write(encoded)

    def _run(self, operation, parameters):
        shape = MODEL.operation_model(operation).input_shape
        _check(shape, parameters, operation)
        self._advance()
        return getattr(self, f"_{operation}")(parameters)

    def _advance(self):
        done = {"Creating": "Created", "Updating": "Updated", "Deleting": None}
        for arn, app in list(self.apps.items()):
            status = app["Status"]
            if status in done and self.clock.now() >= app["until"]:
                app["Status"] = self.ends.get(status, done[status])
                if app["Status"] is None:
                    del self.apps[arn]

    def _new_arn(self):
        self._count += 1
        return f"arn:{self.partition}:sagemaker:{self.region}:{ACCOUNT}:mlflow-app/app-{self._count:012}"

    def _app(self, parameters):
        if parameters["Arn"] not in self.apps:
            raise ServiceFault("ResourceNotFound", "the MLflow app is not there")
        return self.apps[parameters["Arn"]]

    def _begin(self, app, status):
        if app["Status"] in self.seconds:
            raise ServiceFault("ConflictException", f"the app is in state {app['Status'].upper()}")
        app["Status"], app["until"] = status, self.clock.now() + self.seconds[status]

    def _CreateMlflowApp(self, parameters):
        fields = {name: value for name, value in parameters.items() if name != "Tags"}
        tags = {tag["Key"]: tag["Value"] for tag in parameters.get("Tags", [])}
        return {"Arn": self.add("Creating", tags, **fields)}

    def _UpdateMlflowApp(self, parameters):
        app = self._app(parameters)
        self._begin(app, "Updating")
        # The trap of the real service: what an update leaves out is switched on.
        app |= {"ModelRegistrationMode": "AutoModelRegistrationEnabled"} | parameters
        return {"Arn": app["Arn"]}

    def _DescribeMlflowApp(self, parameters):
        return {name: value for name, value in self._app(parameters).items() if name != "until"}

    def _DeleteMlflowApp(self, parameters):
        app = self._app(parameters)
        self._begin(app, "Deleting")
        return {"Arn": app["Arn"]}

    def _ListMlflowApps(self, parameters):
        start, size = int(parameters.get("NextToken", 0)), self.page_size
        apps = list(self.apps.values())
        names = ("Arn", "Name", "Status", "MlflowVersion")
        page = [{name: app[name] for name in names} for app in apps[start : start + size]]
        more = {"NextToken": str(start + size)} if start + size < len(apps) else {}
        return {"Summaries": page} | more

    def _ListTags(self, parameters):
        tags = self.tags[parameters["ResourceArn"]]
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _AddTags(self, parameters):
        tags = self.tags[parameters["ResourceArn"]]
        tags |= {tag["Key"]: tag["Value"] for tag in parameters["Tags"]}
        if len(tags) > 50:
            raise ServiceFault("ValidationException", "too many tags")
        return {"Tags": []}

    def _DeleteTags(self, parameters):
        for key in parameters["TagKeys"]:
            self.tags[parameters["ResourceArn"]].pop(key, None)
        return {}


def _check(shape, value, where):
    """What the real service checks beyond the client: every rule that the public model states."""
    def refuse(text):
        raise ServiceFault("ValidationException", f"{where}: {text}")

    if shape.type_name == "structure":
        for name in shape.required_members:
            if name not in value:
                refuse(f"{name} is missing")
        for name, item in value.items():
            if name not in shape.members:
                refuse(f"{name} is unknown")
            _check(shape.members[name], item, f"{where}.{name}")
        return
    rules = shape.metadata
    if not rules.get("min", 0) <= (len(value) if hasattr(value, "__len__") else value) <= rules.get("max", 10**9):
        refuse("length or size out of bounds")
    if shape.type_name == "list":
        for item in value:
            _check(shape.member, item, where)
    if shape.type_name == "string":
        if getattr(shape, "enum", None) and value not in shape.enum:
            refuse(f"{value!r} is not one of {shape.enum}")
        # The model writes Unicode classes, which only tags use and Python does not know.
        if "pattern" in rules and "\\p{" not in rules["pattern"] and not re.fullmatch(rules["pattern"], value):
            refuse(f"{value!r} does not match {rules['pattern']}")

"""The metadata service as far as Metaflow's client calls it: flows, runs, steps, tasks, artifacts and metadata, in memory.

It answers on two ports, as the stack's service does: on one to whoever is inside of the network, on the other, which
stands for the API, only to those who send the key (SERVICE_KEY). Its arguments are both ports.
"""

import json
import os
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Lock, Thread

# The version whose calls these are.
VERSION = "2.5.1"
FLOW = r"/flows/(?P<flow>[^/]+)"
RUN = FLOW + r"/runs/(?P<run>[^/]+)"
STEP = RUN + r"/steps/(?P<step>[^/]+)"
TASK = STEP + r"/tasks/(?P<task>[^/]+)"


class Refused(Exception):
    """An answer that is none of success."""

    def __init__(self, status, words):
        super().__init__(words)
        self.status, self.words = status, words


class Store:
    """What the service knows, by path."""

    def __init__(self):
        self.lock, self.objects, self.artifacts, self.metadata = Lock(), {}, [], []
        self.numbers = count(1)

    def find(self, *path):
        try:
            return self.objects[path]
        except KeyError:
            raise Refused(404, "not found") from None

    def create(self, path, fields, data):
        if path in self.objects:
            raise Refused(409, "it is there already")
        common = {"user_name": data.get("user_name"), "ts_epoch": int(time.time() * 1000)}
        tags = {"tags": data.get("tags") or [], "system_tags": data.get("system_tags") or []}
        self.objects[path] = common | tags | fields
        return self.objects[path]

    def children(self, *path):
        """What stands directly beneath a path."""
        return [it for place, it in self.objects.items() if len(place) == len(path) + 1 and place[: len(path)] == path]

    def of_task(self, listed, path):
        names = ("flow_id", "run_number", "step_name", "task_id")[: len(path)]
        return [it for it in listed if all(str(it[name]) == part for name, part in zip(names, path))]


store = Store()
ROUTES = []


def route(method, pattern):
    def adding(function):
        ROUTES.append((method, re.compile(pattern + "$"), function))
        return function

    return adding


@route("GET", r"/ping")
def ping(data):
    return "pong"


@route("GET", r"/flows")
def flows(data):
    return store.children()


@route("POST", FLOW)
def create_flow(data, flow):
    return store.create((flow,), {"flow_id": flow}, data)


@route("GET", FLOW)
def get_flow(data, flow):
    return store.find(flow)


@route("GET", FLOW + r"/runs")
def runs(data, flow):
    store.find(flow)
    return store.children(flow)


@route("POST", FLOW + r"/run")
def create_run(data, flow):
    store.find(flow)
    name = data.get("run_number") or str(next(store.numbers))
    fields = {"flow_id": flow, "run_number": name if not name.isdigit() else int(name), "run_id": name}
    return store.create((flow, name), fields, data)


@route("GET", RUN)
def get_run(data, flow, run):
    return store.find(flow, run)


@route("PATCH", RUN + r"/tag/mutate")
def tag_run(data, flow, run):
    found = store.find(flow, run)
    tags = (set(found["tags"]) - set(data.get("tags_to_remove", []))) | set(data.get("tags_to_add", []))
    found["tags"] = sorted(tags)
    return {"tags": found["tags"]}


@route("GET", RUN + r"/steps")
def steps(data, flow, run):
    store.find(flow, run)
    return store.children(flow, run)


@route("POST", STEP + r"/step")
def create_step(data, flow, run, step):
    number = store.find(flow, run)["run_number"]
    return store.create((flow, run, step), {"flow_id": flow, "run_number": number, "step_name": step}, data)


@route("GET", STEP)
def get_step(data, flow, run, step):
    return store.find(flow, run, step)


@route("GET", STEP + r"/tasks")
def tasks(data, flow, run, step):
    store.find(flow, run, step)
    return store.children(flow, run, step)


@route("POST", STEP + r"/task")
def create_task(data, flow, run, step):
    parent = store.find(flow, run, step)
    name = data.get("task_id") or str(next(store.numbers))
    fields = {"flow_id": flow, "run_number": parent["run_number"], "step_name": step}
    return store.create((flow, run, step, name), fields | {"task_id": int(name) if name.isdigit() else name}, data)


@route("GET", TASK)
def get_task(data, flow, run, step, task):
    return store.find(flow, run, step, task)


@route("POST", TASK + r"/(?P<kind>artifact|metadata)")
def add_to_task(data, flow, run, step, task, kind):
    found = store.find(flow, run, step, task)
    place = {name: found[name] for name in ("flow_id", "run_number", "step_name", "task_id")}
    times = {"ts_epoch": int(time.time() * 1000)}
    listed = store.artifacts if kind == "artifact" else store.metadata
    for one in data:
        # The client compares attempts as numbers, and gives them in both forms.
        attempt = {"attempt_id": int(one["attempt_id"])} if "attempt_id" in one else {}
        listed.append(times | one | attempt | place | {"id": next(store.numbers)})
    return {"artifacts_created" if kind == "artifact" else "metadata_created": len(data)}


@route("POST", r"(?P<path>.*)/heartbeat")
def beat(data, path):
    return {"wait_time_in_seconds": 10}


@route("GET", TASK + r"/metadata")
def metadata(data, **path):
    return store.of_task(store.metadata, tuple(path.values()))


def latest(listed):
    """Of each name the artifact of the last attempt."""
    found = {}
    for one in sorted(listed, key=lambda it: it["attempt_id"]):
        found[(one["task_id"], one["name"])] = one
    return list(found.values())


@route("GET", TASK + r"/artifacts")
def artifacts(data, **path):
    return latest(store.of_task(store.artifacts, tuple(path.values())))


@route("GET", TASK + r"/attempt/(?P<attempt>\d+)/artifacts")
def artifacts_of_attempt(data, attempt, **path):
    found = store.of_task(store.artifacts, tuple(path.values()))
    return [it for it in found if it["attempt_id"] == int(attempt)]


@route("GET", TASK + r"/artifacts/(?P<name>[^/]+)(?:/attempt/(?P<attempt>\d+))?")
def artifact(data, name, attempt, **path):
    found = [it for it in store.of_task(store.artifacts, tuple(path.values())) if it["name"] == name]
    if attempt is not None:
        found = [it for it in found if it["attempt_id"] == int(attempt)]
    if not found:
        raise Refused(404, "not found")
    return latest(found)[0]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        try:
            if self.server.key and self.headers.get("x-api-key") != self.server.key:
                raise Refused(403, "Forbidden")
            self.say(200, self.found(json.loads(body) if body else None))
        except Refused as refused:
            self.say(refused.status, {"message": refused.words})
        except Exception as error:
            self.say(500, {"message": repr(error)})

    do_GET = do_POST = do_PATCH = answer

    def found(self, data):
        path = self.path.partition("?")[0]
        for method, pattern, function in ROUTES:
            match = pattern.match(path)
            if method == self.command and match:
                with store.lock:
                    return json.loads(json.dumps(function(data, **match.groupdict())))
        # Whoever sees this in a log knows which call is new.
        raise Refused(405, f"the fixture has no {self.command} {path}")

    def say(self, status, value):
        body = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(value, str) else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("METADATA_SERVICE_VERSION", VERSION)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        if "405" in map(str, arguments) or "500" in map(str, arguments):
            super().log_message(*arguments)


def main():
    inside, outside, key = int(sys.argv[1]), int(sys.argv[2]), os.environ["SERVICE_KEY"]
    for port, wanted in ((inside, None), (outside, key)):
        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        server.key = wanted
        Thread(target=server.serve_forever).start()


if __name__ == "__main__":
    main()

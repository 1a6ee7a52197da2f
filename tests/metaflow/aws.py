"""An AWS for Metaflow's client: moto's API, with jobs of AWS Batch that really run and a record of who called what.

A job is its container's command, run on this machine in a folder of its own; its image is whatever Python is first on
the path. The state machines that the client makes are executed, with what moto does less than AWS put right
(machines.py). moto is reached into, so that its version is exact in requirements.txt.

It is told by its arguments: the port, and the file that gets a line of JSON for each call.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from threading import Lock

import machines
from moto.batch.models import Job
from moto.batch.utils import JobStatus
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, run_simple

# The access key of jobs, by which their calls are told from the client's.
JOB_KEY = "AKIAJOBJOBJOBJOBJOB0"


# By the keys of setting.py; everybody else is the fixture.
CALLERS = {JOB_KEY: "job", "AKIACLIENTCLIENT0000": "client"}


def variables(listed):
    return {one["name"]: one.get("value", "") for one in listed or []}


def run(job):
    """Runs the command of a job, as the container's host would: with its environment and its role."""
    folder = Path(os.environ["BATCH_FOLDER"])
    definition = job.job_definition.container_properties or {}
    overrides = job.container_overrides or {}
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
    environment |= {
        # What a container gets by its role and from its host.
        "AWS_ACCESS_KEY_ID": JOB_KEY,
        "AWS_SECRET_ACCESS_KEY": "job",
        "AWS_DEFAULT_REGION": os.environ["AWS_DEFAULT_REGION"],
        "AWS_ENDPOINT_URL": os.environ["OWN_URL"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "METAFLOW_SKIP_INSTALL_DEPENDENCIES": "1",
        "NO_PROXY": "127.0.0.1",
    }
    environment |= variables(definition.get("environment")) | variables(overrides.get("environment"))
    environment |= {
        "AWS_BATCH_JOB_ID": job.job_id,
        "AWS_BATCH_JOB_ATTEMPT": "1",
        "AWS_BATCH_JQ_NAME": job.job_queue.name,
        "AWS_BATCH_CE_NAME": "local",
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
    }
    command = overrides.get("command") or definition.get("command")
    given = job.parameters or {}
    command = [given.get(word[5:], word) if word.startswith("Ref::") else word for word in command]
    try:
        if job.depends_on and not job._wait_for_dependencies():
            return
        job.job_started_at, job.status = datetime.now(), JobStatus.RUNNING
        with tempfile.TemporaryDirectory(dir=folder) as place, open(folder / f"{job.job_id}.log", "wb") as log:
            process = subprocess.Popen(
                command, cwd=place, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
            while process.poll() is None:
                if job.stop:
                    os.killpg(process.pid, signal.SIGTERM)
                time.sleep(0.1)
        job.exit_code = process.returncode
        job._mark_stopped(success=process.returncode == 0 and not job.stop)
    except Exception as error:
        print(f"the job {job.job_id}: {error!r}", file=sys.stderr, flush=True)
        job._mark_stopped(success=False)


class Recorder:
    """Writes down who called what, as IAM would name it."""

    def __init__(self, application, path):
        self._application, self._path, self._lock = application, path, Lock()

    def __call__(self, environment, answer):
        call = self._described(environment)
        if call:
            with self._lock, open(self._path, "a", encoding="utf-8") as file:
                file.write(json.dumps(call) + "\n")
        return self._application(environment, answer)

    def _described(self, environment):
        credential = environment.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split(",")[0].split("/")
        if len(credential) != 5:
            return None
        key, service = credential[0], credential[3]
        method, path = environment["REQUEST_METHOD"], environment["PATH_INFO"]
        target = environment.get("HTTP_X_AMZ_TARGET")
        if target:
            operation = target.rpartition(".")[2]
        elif service == "s3":
            operation = of_storage(method, path, environment.get("QUERY_STRING", ""))
        else:
            operation = path.rpartition("/")[2]
        caller = CALLERS.get(key, "fixture")
        return {"caller": caller, "service": service, "operation": operation}


def of_storage(method, path, query):
    """The action of S3 that a request needs."""
    is_object = path.strip("/").count("/") > 0
    if not is_object:
        return "DeleteObject" if "delete" in query.split("&") else "ListBucket" if method in ("GET", "HEAD") else method
    return {"GET": "GetObject", "HEAD": "GetObject", "DELETE": "DeleteObject"}.get(method, "PutObject")


class Quiet(WSGIRequestHandler):
    """One connection for many requests, and no line for each."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *arguments):
        pass


def main():
    port, record = int(sys.argv[1]), sys.argv[2]
    Job.run = run
    machines.mend()
    application = Recorder(DomainDispatcherApplication(create_backend_app), record)
    run_simple("127.0.0.1", port, application, threaded=True, request_handler=Quiet)


if __name__ == "__main__":
    main()

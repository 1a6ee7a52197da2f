"""Copies between real MLflow servers, judged by the real client.

A server is filled as users fill it, and copied by the built command: straight, cut off by SIGKILL again and again, and by
way of a backup. What the client reads from the copies has to be what it reads from the source, and the models have to
load and answer alike. Usage: run.py --binary FORMWORK
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


class Server:
    """A tracking server with a database and artifacts of its own."""

    def __init__(self, folder):
        folder.mkdir()
        self.uri = f"http://127.0.0.1:{(port := free_port())}"
        self.log = folder / "server.log"
        command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
        command += ["--artifacts-destination", str(folder / "artifacts"), "--workers", "1"]
        command += ["--host", "127.0.0.1", "--port", str(port)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def wait(self):
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=5).close()
                return
            except OSError:
                assert self.process.poll() is None, self.log.read_text()[-2000:]
                time.sleep(0.2)
        raise AssertionError(f"the server does not start: {self.log.read_text()[-2000:]}")

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def post(self, path, body):
        request = urllib.request.Request(
            f"{self.uri}{path}", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


def client(*arguments):
    done = subprocess.run(
        [sys.executable, str(HERE / "filled.py"), *arguments], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-3000:]
    return done.stdout


def told(uri, *prefix):
    return json.loads(client("tell", uri, *prefix).splitlines()[-1])


class Command:
    """The built command in a folder of its own."""

    def __init__(self, binary, folder):
        folder.mkdir(exist_ok=True)
        self.binary, self.folder = binary, folder

    def start(self, *arguments):
        return subprocess.Popen(
            [self.binary, "mlflow", *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments, code=0):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=200)
        assert process.returncode == code, f"{arguments} ended with {process.returncode}\n{out}\n{err}"
        return out, err


def differences(one, other, path=""):
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(set(one) | set(other)):
            yield from differences(one.get(key), other.get(key), f"{path}/{key}")
    elif one != other:
        yield f"{path}: {str(one)[:300]} is not {str(other)[:300]}"


def same(source, copy):
    found = list(differences(source, copy))
    assert not found, "\n".join(found)


def counts(report):
    return {it["kind"]: it for it in report["kinds"]}


def straight(command, source, target, original):
    """One copy, which verifies itself; a second one finds nothing to do; the client finds no difference."""
    places = ["--from", source.uri, "--to", target.uri]
    out, _ = command.run("copy", *places, "--dry-run", "--json")
    assert counts(json.loads(out))["run"]["found"] == 8 and counts(json.loads(out))["run"]["copied"] == 0
    assert len(told_runs(target)) == 0, "a dry run wrote something"
    out, _ = command.run("copy", *places, "--json", "--ids", "ids.json")
    report = counts(json.loads(out))
    for kind, count in report.items():
        assert count["found"] == count["copied"] == count["verified"] > 0, (kind, count)
    assert report["metric point"]["found"] > 2500 and report["trace"]["found"] == 2
    ids = json.loads((command.folder / "ids.json").read_text())
    assert len(ids["run"]) == 8 and len(ids["model"]) == 2
    same(original, told(target.uri))
    out, err = command.run("copy", *places, "--json")
    again = counts(json.loads(out))
    assert "going on" in err and again["run"]["before"] == 8 and again["run"]["copied"] == 0, again


def told_runs(server):
    experiments = server.post("/api/2.0/mlflow/experiments/search", {"view_type": "ALL", "max_results": 100})
    ids = [it["experiment_id"] for it in experiments["experiments"]]
    body = {"experiment_ids": ids, "run_view_type": "ALL", "max_results": 1000}
    return server.post("/api/2.0/mlflow/runs/search", body).get("runs", [])


def clashes(command, source, target):
    """Somebody else's names are refused before anything is written, and taken with a prefix."""
    other = Command(command.binary, command.folder.with_name("other"))
    target.post("/api/2.0/mlflow/registered-models/create", {"name": "greeting"})
    out, err = other.run("copy", "--from", source.uri, "--to", target.uri, code=3)
    assert "registered model `greeting`" in err and "--prefix" in err, err
    assert told_runs(target) == [], "a refused copy wrote something"
    _, err = other.run("copy", "--from", source.uri, "--to", target.uri, "--experiment", "nothing", code=1)
    assert "no experiment nothing" in err, err


def killed(command, source, target, original):
    """SIGKILL at any time leaves nothing twice and nothing out."""
    places = ["--from", source.uri, "--to", target.uri, "--prefix", "b-", "--concurrency", "2"]
    cuts = 0
    for wait in (0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2):
        process = command.start("copy", *places)
        time.sleep(wait)
        cuts += process.poll() is None
        process.kill()
        process.communicate()
    # Also without the file that says what was done: the tags tell it.
    state = command.folder / ".formwork/mlflow"
    for path in state.glob("*.jsonl"):
        path.unlink()
    out, _ = command.run("copy", *places, "--json")
    assert json.loads(out)["differences_found"] == 0, out
    assert cuts >= 4, f"only {cuts} copies were cut off"
    assert len(told_runs(target)) == 8, "a run is there twice"
    same(original, told(target.uri, "b-"))


def backed_up(command, source, target, original):
    """A backup restores to the same; half a backup, and one that was changed, are refused."""
    process = command.start("backup", "--from", source.uri, "--to", "kept")
    time.sleep(0.7)
    process.kill()
    process.communicate()
    if not (command.folder / "kept/backup.json").exists():
        _, err = command.run("restore", "--from", "kept", "--to", target.uri, code=1)
        assert "never finished" in err, err
    command.run("backup", "--from", source.uri, "--to", "kept")
    run = next(Path(command.folder, "kept").glob("experiments/1/runs/*/run.json"))
    assert run.stat().st_mode & 0o077 == 0, "others may read the backup"
    whole = run.read_bytes()
    run.write_bytes(whole.replace(b"FINISHED", b"FINISHEd").replace(b"RUNNING", b"RUNNINg").replace(b"FAILED", b"FAILEd"))
    _, err = command.run("restore", "--from", "kept", "--to", target.uri, code=1)
    assert "damaged" in err, err
    run.write_bytes(whole)
    out, _ = command.run("restore", "--from", "kept", "--to", target.uri, "--json")
    assert json.loads(out)["differences_found"] == 0, out
    same(original, told(target.uri))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    binary = str(Path(parser.parse_args().binary).resolve())
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    with tempfile.TemporaryDirectory(prefix="formwork-mlflow-") as name:
        folder = Path(name)
        servers = [Server(folder / word) for word in ("source", "straight", "killed", "restored")]
        try:
            for server in servers:
                server.wait()
            source, first, second, third = servers
            began = time.monotonic()
            client("fill", source.uri, str(folder))
            original = told(source.uri)
            print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
            command = Command(binary, folder / "work")
            parts = {
                "one copy": lambda: straight(command, source, first, original),
                "names that clash": lambda: clashes(command, source, second),
                "copies that were killed": lambda: killed(command, source, second, original),
                "backup and restore": lambda: backed_up(command, source, third, original),
            }
            for what, part in parts.items():
                began = time.monotonic()
                part()
                print(f"{what}: passed in {time.monotonic() - began:.0f} s", flush=True)
        finally:
            for server in servers:
                server.stop()


if __name__ == "__main__":
    main()

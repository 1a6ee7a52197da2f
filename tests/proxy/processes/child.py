"""A program that runs beside the tests: started with a log, waited for, measured, and ended whatever happens."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

START = 90
END = 10
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def end_with_parent():
    """The kernel ends this process with the thread that started it: start programs from threads that stay."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    """A port of loopback that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def clean_environment(**more):
    """An environment without an identity of AWS and without a proxy for HTTP."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    quiet = {"AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1", "PYTHONDONTWRITEBYTECODE": "1"}
    mlflow = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}
    return kept | quiet | mlflow | {name: str(value) for name, value in more.items()}


class Child:
    """A running program. Use it in a `with`; its output is in `log`."""

    def __init__(self, name, command, environment, log, folder=None, pipe=False, before=None):
        def prepare():
            end_with_parent()
            if before:
                before()

        self.name, self.log = name, Path(log)
        with open(log, "ab") as file:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                env=environment,
                cwd=folder,
                stdin=subprocess.PIPE if pipe else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe else file,
                stderr=file,
                preexec_fn=prepare,
                start_new_session=True,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process.poll() is None

    def line(self):
        """The next line of its output, if it was started with a pipe."""
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended: {self.last_words()}")
        return line.decode()

    def last_words(self):
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    def until(self, is_ready, limit=START):
        """Waits until it is ready."""
        end = time.monotonic() + limit
        while not is_ready():
            if not self.is_running():
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}: {self.last_words()}")
            if time.monotonic() > end:
                raise RuntimeError(f"{self.name} is not ready after {limit} s: {self.last_words()}")
            time.sleep(0.05)

    def until_answers(self, url, limit=START):
        """Waits until a URL answers with 200."""

        def answers():
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    return answer.status == 200
            except OSError:
                return False

        self.until(answers, limit)

    def memory(self, field="VmHWM"):
        """Its memory in MB: the most that it had, or `VmRSS` for what it has now."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        raise RuntimeError(f"{self.name} has no {field}")

    def forget_peak(self):
        """Lets the peak of its memory begin anew."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, limit):
        """Its exit status."""
        return self.process.wait(limit)

    def stop(self):
        if self.process.stdin:
            self.process.stdin.close()
        if self.is_running():
            self.process.terminate()
        try:
            self.process.wait(END)
        except subprocess.TimeoutExpired:
            pass
        # What it has started itself ends with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

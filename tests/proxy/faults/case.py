"""What the cases of faults share: their list, quick requests, and load."""

import http.client
import threading
import time
from dataclasses import dataclass
from typing import Callable

SEARCH = "/api/2.0/mlflow/experiments/search?max_results=1"
CASES = []


class Missing(Exception):
    """This machine does not let a case do what it needs."""


@dataclass(frozen=True)
class Case:
    name: str
    function: Callable


def case(name):
    """Registers a case: a function of the setting and of verifying servers that it has for itself, which raises when
    something is wrong."""

    def register(function):
        CASES.append(Case(name, function))
        return function

    return register


def same(found, wanted):
    assert found == wanted, f"{found!r} is not {wanted!r}"


def ask(proxy, method="GET", target="/__echo", body=None, headers=None, limit=60):
    """A request on a connection of its own: status, headers (lower case), body."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=limit)
    try:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def status(proxy, method="GET", target="/__echo", **more):
    return ask(proxy, method, target, **more)[0]


def until(is_so, limit=15, pause=0.1):
    """Waits until something is so."""
    end = time.monotonic() + limit
    while not is_so():
        assert time.monotonic() < end, f"not so after {limit} s"
        time.sleep(pause)


class Load:
    """Requests of many threads, each on a connection that stays. Use it in a `with`; `statuses` has all answers."""

    def __init__(self, proxy, threads=8, target="/__echo", method="GET", body=None):
        self._proxy, self._request = proxy, (method, target, body)
        self.statuses, self.broken = [], []
        self._stop, self._stay = threading.Event(), threading.Event()
        self._threads = [threading.Thread(target=self._go, daemon=True) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stay(self):
        """Opens no connection from now on, as a load balancer whose target is not ready."""
        self._stay.set()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _go(self):
        connection = None
        while not self._stop.is_set() and (connection or not self._stay.is_set()):
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self._proxy.port, timeout=60)
                connection.request(*self._request)
                answer = connection.getresponse()
                answer.read()
                self.statuses.append(answer.status)
                if answer.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                self.broken.append(f"{type(error).__name__}: {error}")
                connection = None


def all_ok(load, least=1):
    wrong = [it for it in load.statuses if it != 200]
    assert not wrong and not load.broken, f"{len(wrong)} wrong: {wrong[:5]}, {len(load.broken)} broken: {load.broken[:3]}"
    assert len(load.statuses) >= least, f"only {len(load.statuses)} requests"

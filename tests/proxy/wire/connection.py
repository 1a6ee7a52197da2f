"""HTTP by hand: requests go out byte by byte as a case wants them, answers are read strictly."""

import json
import socket
from dataclasses import dataclass, field

HOST = "mlflow.example.com"


@dataclass
class Answer:
    """An answer as it came."""

    status: int
    headers: list
    body: bytes = b""
    # When each chunk of the body came, where it came in chunks.
    times: list = field(default_factory=list)

    def values(self, name):
        return [value for known, value in self.headers if known == name]

    def one(self, name):
        values = self.values(name)
        assert len(values) <= 1, f"{name} comes {len(values)} times"
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)


class Connection:
    """A connection to the proxy. Use it in a `with`."""

    def __init__(self, port, data=b"", limit=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=limit)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self.socket.makefile("rb")
        if data:
            self.send(data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def end(self):
        """Says that nothing more is sent."""
        self.socket.shutdown(socket.SHUT_WR)

    def is_closed(self, limit=5):
        """Whether the other side ends the connection in time."""
        self.socket.settimeout(limit)
        try:
            return self._file.read(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    def interim(self):
        """The next line of a status, with its headers read away."""
        line = self._file.readline()
        while self._file.readline().strip():
            pass
        return line

    def answer(self, method="GET"):
        """The next final answer. A body that ends too soon is an `EOFError`."""
        import time

        words = self._file.readline().decode("latin-1").split(" ", 2)
        if len(words) < 2:
            raise EOFError("the connection ended without an answer")
        status, headers = int(words[1]), []
        while line := self._file.readline().decode("latin-1").rstrip("\r\n"):
            name, _, value = line.partition(":")
            headers.append((name.lower(), value.strip()))
        if 100 <= status < 200 and status != 101:
            return self.answer(method)
        answer = Answer(status, headers)
        if method == "HEAD" or status in (101, 204, 304):
            return answer
        if "chunked" in ",".join(answer.values("transfer-encoding")):
            while size := int(self._line().split(b";")[0], 16):
                answer.body += self._bytes(size)
                answer.times.append(time.monotonic())
                self._line()
            while self._line().strip():
                pass
        elif (length := answer.one("content-length")) is not None:
            answer.body = self._bytes(int(length))
        else:
            answer.body = self._file.read()
        return answer

    def _line(self):
        line = self._file.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the body ends within a chunk")
        return line

    def _bytes(self, count):
        data = self._file.read(count)
        if len(data) < count:
            raise EOFError(f"the body ends after {len(data)} of {count} bytes")
        return data


def head(method, target, headers=(), host=HOST):
    lines = [f"{method} {target} HTTP/1.1", *([f"Host: {host}"] if host else [])]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers), "", ""]).encode("latin-1")


class Wire:
    """The proxy at a port, and the verifying servers behind it."""

    def __init__(self, proxy, verifier):
        self.proxy, self.verifier, self.port = proxy, verifier, proxy.port

    def connect(self, data=b"", limit=20):
        return Connection(self.port, data, limit)

    def ask(self, method="GET", target="/__echo", headers=(), body=b"", host=HOST, limit=20):
        """One request on a connection of its own."""
        names = {name.lower() for name, _ in headers}
        if body and not names & {"content-length", "transfer-encoding"}:
            headers = [*headers, ("Content-Length", len(body))]
        with self.connect(head(method, target, headers, host) + body, limit) as connection:
            return connection.answer(method)

    def echo(self, method="GET", target="/__echo", headers=(), body=b""):
        """What the verifying upstream got of a request that it took."""
        answer = self.ask(method, target, headers, body)
        assert answer.status == 200, f"{answer.status} {answer.body[:300]!r}"
        return Echo(answer.json())

    def counts(self):
        return self.verifier.state()["counts"]


class Echo:
    """A request as it arrived upstream."""

    def __init__(self, shown):
        self.method, self.target, self.length, self.sha256 = shown["method"], shown["raw"], shown["len"], shown["sha"]
        self.headers = shown["headers"]

    def values(self, name):
        return [value for known, value in self.headers if known == name]


CASES = []


def case(name):
    """Registers a case: a function of a `Wire` that raises when something is wrong."""

    def register(function):
        CASES.append((name, function))
        return function

    return register


def same(found, wanted):
    assert found == wanted, f"{found!r} is not {wanted!r}"

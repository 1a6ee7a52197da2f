"""An MLflow that fails in every way: what the client is told, and that nothing is done twice."""

import contextlib
import http.client
import json
import socket
import threading
import time

from faults.case import ask, case, same, status, until


def told(answer):
    """The error that the proxy tells in MLflow's form."""
    return json.loads(answer[2])["error_code"]


@case("failures of MLflow pass with their bodies and headers; a POST reaches it once")
def failures(setting, verifier):
    with setting.proxy(verifier) as proxy:
        for failing in (400, 403, 404, 409, 429, 500, 502, 503, 504):
            for method in ("POST", "PATCH", "DELETE"):
                fault = {"kind": "status", "status": failing, "headers": {"Retry-After": "7"}}
                verifier.set(reset=True)
                verifier.set(mlflow=fault | {"body": '{"error_code":"X","message":"of MLflow"}'})
                got, headers, body = ask(proxy, method, body=b"{}")
                same((method, got, headers.get("retry-after")), (method, failing, "7"))
                assert "of MLflow" in json.loads(body)["message"], body
                same((method, failing, verifier.count(f"{method} /__echo")), (method, failing, 1))


@case("a GET may be asked once more after 503, never more")
def one_more(setting, verifier):
    with setting.proxy(verifier) as proxy:
        verifier.set(mlflow={"kind": "status", "status": 503})
        same(status(proxy), 503)
        assert verifier.count("GET /__echo") <= 2, verifier.count("GET /__echo")


@case("MLflow's refusal tells which permission is missing")
def hint(setting, verifier):
    with setting.proxy(verifier) as proxy:
        body = json.dumps({"message": "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: x"})
        errors = {"x-amzn-errortype": "AccessDeniedException"}
        verifier.set(mlflow={"kind": "status", "status": 403, "headers": errors, "body": body})
        got, headers, said = ask(proxy, target="/api/2.0/mlflow/experiments/search")
        same(got, 403)
        assert "sagemaker-mlflow:" in headers.get("x-formwork-hint", "") + said.decode(), (headers, said)
        assert b"is not authorized to perform" in said, said


@case("connections that are reset, and answers that are no HTTP: 502 in MLflow's form; a POST is not repeated")
def broken(setting, verifier):
    with setting.proxy(verifier) as proxy:
        for kind in ("reset", "garbage"):
            for method in ("GET", "POST"):
                verifier.set(reset=True)
                verifier.set(mlflow={"kind": kind})
                answer = ask(proxy, method, body=b"{}" if method == "POST" else None)
                assert answer[0] in (502, 503), f"{kind} {method}: {answer}"
                assert told(answer), answer
                most = 1 if method == "POST" else 2
                assert verifier.count(f"{method} /__echo") <= most, f"{kind} {method}: {verifier.count('tracking')}"
        verifier.set(reset=True)
        same(status(proxy), 200)


@case("an MLflow that does not answer: 504 in time")
def hanging(setting, verifier):
    with setting.proxy(verifier, MLFLOW_PROXY_FIRST_BYTE_TIMEOUT="2") as proxy:
        verifier.set(mlflow={"kind": "hang"})
        start = time.monotonic()
        answer = ask(proxy, "POST", body=b"{}")
        assert answer[0] == 504 and time.monotonic() - start < 15, answer
        assert told(answer)
        same(verifier.count("POST /__echo"), 1)


@case("nobody listens where MLflow should be: 502 or 503 with Retry-After, and all is well once somebody does")
def nobody(setting, verifier):
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        with setting.proxy(verifier, SM_MLFLOW_ENDPOINT=f"http://127.0.0.1:{port}") as proxy:
            got, headers, _ = ask(proxy)
            assert got in (502, 503) and "retry-after" in headers, (got, headers)
            same((status(proxy, target="/healthz"), status(proxy, target="/readyz")), (200, 503))
            listener.listen()
            with passing(listener, verifier.ports["tracking"]):
                until(lambda: status(proxy) == 200, 40)
                until(lambda: status(proxy, target="/readyz") == 200, 40)


@contextlib.contextmanager
def passing(listener, port):
    """Passes the connections of a listener to a port, byte by byte."""
    ends = []

    def pump(source, sink):
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                client = listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", port))
                ends.extend((client, server))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        for end in ends:
            end.close()


@case("an answer that breaks off, and one that stops: the client does not take it for whole")
def cut(setting, verifier):
    with setting.proxy(verifier, MLFLOW_PROXY_ANSWER_TIMEOUT="2") as proxy:
        for kind in ("cut", "stall"):
            verifier.set(mlflow={"kind": kind})
            start = time.monotonic()
            try:
                got = status(proxy, "POST", body=b"{}", limit=30)
                assert got in (502, 504), (kind, got)
            except (http.client.IncompleteRead, ConnectionError):
                # It had begun when it broke off.
                pass
            assert time.monotonic() - start < 20, (kind, time.monotonic() - start)
        verifier.set(mlflow=None)
        same(status(proxy), 200)


@case("a client that leaves while MLflow answers lets MLflow's connection go")
def left(setting, verifier):
    with setting.proxy(verifier) as proxy:
        same(status(proxy), 200)
        before = proxy.memory("VmRSS")
        with socket.create_connection(("127.0.0.1", proxy.port)) as client:
            client.sendall(b"GET /__bytes?count=100000000000 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            client.recv(100000)
            same(verifier.state()["streams"], 1)
        until(lambda: verifier.state()["streams"] == 0)
        assert proxy.memory() < before + 30, f"{before:.0f} MB became {proxy.memory():.0f} MB"
        same(status(proxy), 200)

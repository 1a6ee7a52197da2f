"""Answers: passed as they are, as soon as they come, and never taken for whole when they are not."""

import gzip
import time

from wire.connection import case, head, same


@case("two cookies stay two")
def cookies(wire):
    same(wire.ask(target="/__cookies").values("set-cookie"), ["a=1; Path=/", "b=2; Path=/"])


@case("a redirect is passed, not followed")
def redirect(wire):
    answer = wire.ask(target="/__redirect")
    same((answer.status, answer.one("location")), (302, "/target%20x?y=1"))


@case("a redirect to the upstream itself stays at the proxy")
def redirect_here(wire):
    answer = wire.ask(target="/__redirect-here")
    same((answer.status, answer.one("location")), (307, "/api/2.0/mlflow/x?y=1"))


@case("a packed answer is passed as it is")
def packed(wire):
    answer = wire.ask(target="/__gzip", headers=[("Accept-Encoding", "gzip")])
    same((answer.one("content-encoding"), gzip.decompress(answer.body)), ("gzip", b"hello " * 1000))


@case("events come when they are sent")
def events(wire):
    start = time.monotonic()
    with wire.connect(head("GET", "/__events")) as connection:
        answer = connection.answer()
    same(answer.body.count(b"data: "), 5)
    assert answer.times[0] - start < 1.0 and answer.times[-1] - answer.times[0] > 0.9, answer.times


@case("fifty requests on one connection")
def fifty(wire):
    with wire.connect() as connection:
        for number in range(50):
            connection.send(head("GET", f"/__echo/{number}"))
            same(connection.answer().json()["raw"], f"/__echo/{number}")


@case("an answer that breaks off is not whole for the client")
def cut(wire):
    wire.verifier.set(mlflow={"kind": "cut"})
    try:
        answer = wire.ask()
    except (EOFError, ConnectionError):
        return
    finally:
        wire.verifier.set(mlflow=None)
    assert answer.status in (502, 504), answer.status


@case("a long answer without a length, and one with")
def long_answers(wire):
    for target in ("/__bytes?count=20000000", "/__bytes?count=20000000&length=1"):
        same(len(wire.ask(target=target, limit=60).body), 20000000)


@case("security headers are on every answer")
def security_headers(wire):
    for target in ("/__echo", "/healthz", "/__no-such"):
        same((target, wire.ask(target=target).one("x-content-type-options")), (target, "nosniff"))


@case("HTTP/1.0 is answered, and its connection closed")
def version_one(wire):
    with wire.connect("GET /__echo HTTP/1.0\r\nHost: mlflow.example.com\r\n\r\n") as connection:
        same(connection.answer().status, 200)
        assert connection.is_closed()


@case("what is no HTTP is answered with 400 or nothing, and the next request is served")
def no_http(wire):
    for data in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"\0" * 1000, b"GET / HTTP/9.9\r\n\r\n"):
        with wire.connect(data) as connection:
            connection.end()
            try:
                assert connection.answer().status in (400, 404, 505)
            except (EOFError, ConnectionError):
                pass
    same(wire.ask().status, 200)

"""Bodies: none, short, long, in chunks, broken off; and every method."""

import hashlib
import time

from wire.connection import HOST, case, head, same


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


def with_body(method):
    def run(wire):
        echo = wire.echo(method, "/__echo", [("Content-Type", "application/json")], b'{"a":1}')
        same((echo.method, echo.sha256), (method, sha256(b'{"a":1}')))

    return run


for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
    case(f"{method} with a body")(with_body(method))


@case("HEAD has no body, and its connection goes on")
def head_keeps_connection(wire):
    with wire.connect(head("HEAD", "/__echo")) as connection:
        same(connection.answer("HEAD").status, 200)
        connection.send(head("GET", "/__echo/2"))
        same(connection.answer().json()["raw"], "/__echo/2")


@case("POST without a body, with and without a length")
def empty(wire):
    same(wire.echo("POST", headers=[("Content-Length", "0")]).length, 0)
    same(wire.echo("POST").length, 0)


@case("chunks, of one byte too, with an extension and a trailer")
def chunks(wire):
    data = chunk(b"abc") + chunk(b"d" * 5000) + b"1;name=value\r\ne\r\n" + b"0\r\nX-Trailer: 1\r\n\r\n"
    with wire.connect(head("PUT", "/__echo", [("Transfer-Encoding", "chunked")]) + data) as connection:
        shown = connection.answer().json()
    same(shown["sha"], sha256(b"abc" + b"d" * 5000 + b"e"))
    assert "x-trailer" not in dict(shown["headers"])


@case("30 MB of JSON, which MLflow's batches can be")
def long_json(wire):
    body = b'{"a":"' + b"z" * (30 << 20) + b'"}'
    echo = wire.echo("POST", "/__echo", [("Content-Type", "application/json")], body)
    same((echo.length, echo.sha256), (len(body), sha256(body)))


@case("64 MiB in chunks")
def long_chunks(wire):
    piece, digest = b"z" * (1 << 20), hashlib.sha256()
    with wire.connect(head("PUT", "/__echo", [("Transfer-Encoding", "chunked")]), limit=120) as connection:
        for _ in range(64):
            connection.send(chunk(piece))
            digest.update(piece)
        connection.send(b"0\r\n\r\n")
        same(connection.answer().json()["sha"], digest.hexdigest())


@case("Expect: 100-continue is answered before the body comes")
def expect(wire):
    headers = [("Content-Length", 5), ("Expect", "100-continue")]
    with wire.connect(head("PUT", "/__echo", headers), limit=8) as connection:
        assert b" 100 " in connection.interim()
        connection.send(b"hello")
        same(connection.answer().json()["len"], 5)


def never_arrives(wire, header, start):
    before = wire.counts().get("PUT /__echo", 0)
    with wire.connect(head("PUT", "/__echo", [header]) + start) as connection:
        connection.end()
        try:
            assert connection.answer().status >= 400
        except (EOFError, ConnectionError):
            pass
    time.sleep(0.3)
    same(wire.counts().get("PUT /__echo", 0), before)


@case("a body that breaks off never arrives as a whole one")
def broken_off(wire):
    for size in (100, 5 << 20):
        never_arrives(wire, ("Content-Length", size), b"abc")


@case("chunks that break off never arrive as a whole body")
def broken_chunks(wire):
    never_arrives(wire, ("Transfer-Encoding", "chunked"), chunk(b"abc"))


@case("a length and chunks at once smuggle nothing")
def smuggled(wire):
    smuggled = f"GET /__echo/smuggled HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
    headers = [("Content-Length", "4"), ("Transfer-Encoding", "chunked")]
    with wire.connect(head("POST", "/__echo", headers) + f"0\r\n\r\n{smuggled}".encode()) as connection:
        answer = connection.answer()
    assert answer.status >= 400 or answer.json()["len"] == 0, answer


@case("lengths that contradict each other are refused")
def two_lengths(wire):
    answer = wire.ask("POST", "/__echo", [("Content-Length", "3"), ("Content-Length", "5")], b"abcde")
    same(answer.status, 400)


@case("transfer encodings that are not chunks at the end are refused")
def odd_encodings(wire):
    for value in ("gzip", "chunked, gzip", "xchunked"):
        with wire.connect(head("POST", "/__echo", [("Transfer-Encoding", value)]) + b"0\r\n\r\n") as connection:
            connection.end()
            try:
                status = connection.answer().status
            except (EOFError, ConnectionError):
                continue
            assert status in (400, 411, 501), f"{value}: {status}"


@case("no upgrade, no tunnel, no trace")
def not_done(wire):
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket")]
    upgrade += [("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "eA==")]
    assert wire.ask(headers=upgrade).status != 101
    assert wire.ask("CONNECT", "example.com:443").status in (400, 403, 404, 405, 501)
    assert wire.ask("TRACE").status in (400, 403, 405, 501)
    h2c = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")]
    assert wire.ask(headers=h2c).status != 101

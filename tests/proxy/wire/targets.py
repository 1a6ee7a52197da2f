"""Paths and queries: they arrive byte by byte, but for a plus in a query, which means a space."""

from wire.connection import HOST, case, same

PATHS = {
    "an encoded slash": "/__echo/a%2Fb/c",
    "an encoded slash in lower case": "/__echo/a%2fb/c",
    "an encoded space": "/__echo/a%20b",
    "UTF-8": "/__echo/%C3%BC%E6%97%A5",
    "lower-case hex": "/__echo/%c3%bc",
    "a plus": "/__echo/a+b",
    "reserved characters": "/__echo/a;b,c=d@e:f!g$h&i'j(k)*l~",
    "an encoded question mark and hash": "/__echo/a%3Fb%23c",
    "a trailing slash": "/__echo/a/",
    "a doubly encoded slash": "/__echo/a%252Fb",
    "an encoded percent sign": "/__echo/100%25",
    "bytes that are not UTF-8": "/__echo/%ff%FE",
}
QUERIES = {
    "repeated keys in their order": "k=2&k=1&a=3",
    "an encoded plus": "a=1%2B1",
    "= / : and ? in a value": "a=b=c/d:e?f",
    "keys that sort by their bytes": "%E6%97%A5=1&Z=2&a=3&A=4",
    "lower-case hex": "a=%c3%bc",
    "reserved characters": "a=!*'()~",
    "8 KiB": "a=" + "x" * 8000,
    "bytes that are not UTF-8": "a=%ff%FE",
    "a key without a value": "a&b=&c",
    "an encoded ampersand": "a=1%262&b=2",
    "keys of which one begins the other": "ab=1&a=2&a%20=3&a-=4",
}


def arrives(target):
    return lambda wire: same(wire.echo(target=target).target, target)


for name, path in PATHS.items():
    case(f"path with {name}")(arrives(path))
for name, query in QUERIES.items():
    case(f"query with {name}")(arrives(f"/__echo?{query}"))


@case("a plus in a query goes out as %20")
def plus(wire):
    same(wire.echo(target="/__echo?filter=a+b&c=d+").target, "/__echo?filter=a%20b&c=d%20")


@case("a plus in a query of a POST means a space too")
def plus_of_post(wire):
    assert wire.echo("POST", "/__echo?filter=a+b").target in ("/__echo?filter=a%20b", "/__echo?filter=a+b")


@case("a question mark with nothing behind it")
def bare_question_mark(wire):
    assert wire.echo(target="/__echo?").target in ("/__echo", "/__echo?")


@case("dot segments are not resolved on the way, or refused")
def dot_segments(wire):
    for target in ("/__echo/a/%2e%2e/b", "/__echo/a/./b", "/__echo/a/../b", "/__echo//a", "/__echo/%2E/x"):
        answer = wire.ask(target=target)
        assert answer.status in (200, 400), f"{target}: {answer.status} {answer.body[:100]!r}"
        if answer.status == 200:
            same(answer.json()["raw"], target)


@case("raw bytes outside ASCII in a target are refused, or signed right")
def raw_bytes(wire):
    assert wire.ask(target="/__echo/\xc3\xbc").status in (200, 400)


@case("a target of 64 KiB is too long, and the next request is served")
def long_target(wire):
    with wire.connect(f"GET /__echo?a={'x' * (1 << 16)} HTTP/1.1\r\nHost: {HOST}\r\n\r\n") as connection:
        assert connection.answer().status in (400, 414, 431)
    same(wire.ask().status, 200)


def asked(wire):
    """How often the verifying upstream was asked, but for the proxy's own looks at it."""
    return sum(count for name, count in wire.counts().items() if name.startswith("GET /__") or "meta-data" in name)


@case("a target in absolute form goes nowhere else")
def absolute_form(wire):
    before = asked(wire)
    for target in ("http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/__echo", "https://example.com/__echo"):
        status = wire.ask(target=target).status
        assert status in (400, 403, 404, 421), f"{target}: {status}"
    same(asked(wire), before)


@case("targets that are no paths")
def no_paths(wire):
    for method, target in (("GET", "example.com"), ("GET", "*"), ("GET", "//example.com/x"), ("GET", "http://")):
        answer = wire.ask(method, target)
        assert answer.status in (200, 400, 403, 404, 421), f"{target}: {answer.status}"
    same(wire.ask().status, 200)

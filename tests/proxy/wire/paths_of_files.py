"""Paths of artifacts: nothing above or beside the root is ever reached, and odd names are taken as they are."""

from wire.connection import case, same

FILES = "/api/2.0/mlflow-artifacts/artifacts"
ESCAPES = [
    "../x", "a/../../x", "%2e%2e/x", "a/%2e%2e/%2e%2e/x", "a/..%2f..%2fx", "%2e%2e%2fx", "..%5cx", "a\\..\\x",
    "%252e%252e/x", "%252e%252e%252fx", "a//x", "./x", "a/./x", "%2fetc/passwd", "/etc/passwd", "a%00b", "%c0%ae%c0%ae/x",
    "a%0d%0aX:1", "%ff/x", "a/%2e/x",
]  # fmt: skip
NAMES = ["100%25.txt", "a%252Fb.txt", "h%23q%3F.txt", "pl+us.txt", "a%20b/%C3%BC.txt", "%C3%BC.txt", "..dots..", "a%2Fb.txt"]


@case("paths that leave the root of artifacts are refused")
def escapes(wire):
    for path in ESCAPES:
        for method, body in (("PUT", b"x"), ("GET", b"")):
            answer = wire.ask(method, f"{FILES}/{path}", body=body)
            assert answer.status in (400, 403, 404, 405), f"{method} {path}: {answer.status} {answer.body[:100]!r}"
            assert method != "PUT" or answer.status != 404, f"PUT {path} got as far as the bucket"


@case("lists above the root of artifacts are refused")
def escaping_lists(wire):
    for path in ("..", "a/../..", "%2e%2e", "/", "/etc", "..%2f.."):
        answer = wire.ask("GET", f"{FILES}?path={path}")
        assert answer.status in (400, 403) or answer.json() == {"files": []}, f"{path}: {answer.status} {answer.body}"


@case("odd names of files come back as they were sent")
def odd_names(wire):
    for name in NAMES:
        content = name.encode()
        same((name, wire.ask("PUT", f"{FILES}/wire/{name}", body=content).status), (name, 200))
        answer = wire.ask("GET", f"{FILES}/wire/{name}")
        same((answer.status, answer.body), (200, content))
    listed = {it["path"] for it in wire.ask("GET", f"{FILES}?path=wire").json()["files"]}
    assert {"100%.txt", "a%2Fb.txt", "h#q?.txt", "ü.txt"} <= listed, listed


@case("parts of a file, and conditions")
def ranges(wire):
    target = f"{FILES}/wire/range.bin"
    same(wire.ask("PUT", target, body=bytes(range(100))).status, 200)
    part = wire.ask("GET", target, [("Range", "bytes=10-19")])
    same((part.status, part.body, part.one("content-range")), (206, bytes(range(10, 20)), "bytes 10-19/100"))
    same(wire.ask("GET", target, [("Range", "bytes=-5")]).body, bytes(range(95, 100)))
    same(wire.ask("GET", target, [("Range", "bytes=200-300")]).status, 416)
    whole = wire.ask("GET", target)
    same(wire.ask("GET", target, [("If-None-Match", whole.one("etag"))]).status, 304)
    same((wire.ask("HEAD", target).status, wire.ask("HEAD", target).one("content-length")), (200, "100"))


@case("a file that is not there gives MLflow's error")
def not_there(wire):
    answer = wire.ask("GET", f"{FILES}/wire/no-such.bin")
    same((answer.status, answer.json()["error_code"]), (404, "RESOURCE_DOES_NOT_EXIST"))


@case("a page among the files cannot run script here")
def page(wire):
    same(wire.ask("PUT", f"{FILES}/wire/page.html", body=b"<script>1</script>").status, 200)
    answer = wire.ask("GET", f"{FILES}/wire/page.html")
    policy, disposition = answer.one("content-security-policy") or "", answer.one("content-disposition") or ""
    assert "sandbox" in policy or disposition.startswith("attachment"), answer.headers


@case("an upload that breaks off leaves no file")
def broken_upload(wire):
    from wire.connection import head

    for size in (1000, 80 << 20):
        target = f"{FILES}/wire/broken-{size}.bin"
        with wire.connect(head("PUT", target, [("Content-Length", size)]) + b"x" * min(size - 1, 70 << 20)) as connection:
            connection.end()
            try:
                assert connection.answer().status >= 400
            except (EOFError, ConnectionError):
                pass
        same(wire.ask("GET", target).status, 404)


@case("routes that give URLs of the bucket do not, so that clients use the proxy")
def presigned(wire):
    body = b'{"run_id":"0123456789abcdef0123456789abcdef","path":"x","expiration":900}'
    answer = wire.ask("POST", "/api/2.0/mlflow/artifacts/presigned-upload-url", [("Content-Type", "application/json")], body)
    assert answer.status >= 400 and b"X-Amz-Signature" not in answer.body, answer
    answer = wire.ask("POST", "/api/2.0/mlflow-artifacts/mpu/create/wire/x", body=b'{"path":"x","num_parts":2}')
    assert answer.status >= 400 and b"X-Amz-Signature" not in answer.body, answer

"""A bucket that is slow, denies, fails, or lets sessions end in the middle."""

import hashlib
import json

from faults.case import ask, case, same, status

FILES = "/api/2.0/mlflow-artifacts/artifacts/faults"
DENIED = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
BUSY = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


@case("the bucket denies: 403 that names the missing permission")
def denied(setting, verifier):
    with setting.proxy(verifier) as proxy:
        verifier.set(storage={"kind": "status", "status": 403, "body": DENIED})
        got, _, body = ask(proxy, "PUT", f"{FILES}/refused.bin", body=b"x")
        same(got, 403)
        assert "s3:" in json.loads(body)["message"], body


@case("the bucket is busy: 503 with Retry-After")
def busy(setting, verifier):
    with setting.proxy(verifier) as proxy:
        verifier.set(storage={"kind": "status", "status": 503, "body": BUSY})
        for method, body in (("PUT", b"x"), ("GET", None)):
            got, headers, _ = ask(proxy, method, f"{FILES}/refused.bin", body=body)
            same((method, got, "retry-after" in headers), (method, 503, True))


@case("the bucket breaks off or does not speak HTTP: an error in MLflow's form, never a short file")
def broken(setting, verifier):
    with setting.proxy(verifier) as proxy:
        same(status(proxy, "PUT", f"{FILES}/broken.bin", body=b"x" * 100000), 200)
        for kind in ("reset", "garbage"):
            verifier.set(storage={"kind": kind})
            got, _, body = ask(proxy, "GET", f"{FILES}/broken.bin")
            assert got in (502, 503) and json.loads(body)["error_code"], (got, body)
        verifier.set(storage=None)
        same(ask(proxy, "GET", f"{FILES}/broken.bin")[2], b"x" * 100000)


@case("sessions end between files and in long uploads: nothing is lost")
def sessions(setting, verifier):
    content = hashlib.sha256(b"seed").digest() * (1 << 20)
    with setting.proxy(verifier) as proxy:
        for body in (b"short", content):
            verifier.set(revoke=True)
            same(status(proxy, "PUT", f"{FILES}/sessions.bin", body=body, limit=120), 200)
            verifier.set(revoke=True)
            same(hashlib.sha256(ask(proxy, "GET", f"{FILES}/sessions.bin")[2]).digest(), hashlib.sha256(body).digest())

"""Credentials that cannot be had, are slow to get, or stop being good while requests are under way."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

from faults.case import Load, all_ok, ask, case, same, status, until


def ready(proxy):
    return ask(proxy, target="/readyz")[0]


@case("STS denies at the start: alive, not ready, 503 with Retry-After; then it allows and all is well")
def denied(setting, verifier):
    for code, answer in (("AccessDenied", 403), ("Throttling", 400)):
        verifier.set(sts={"code": code, "status": answer}, revoke=True)
        with setting.proxy(verifier) as proxy:
            same((status(proxy, target="/healthz"), ready(proxy)), (200, 503))
            got, headers, body = ask(proxy)
            same((got, "retry-after" in headers), (503, True))
            assert json.loads(body)["error_code"], body
            verifier.set(sts=None)
            until(lambda: status(proxy) == 200, 40)
            until(lambda: ready(proxy) == 200)
        assert verifier.count("sts asked") < 30, "a stampede at STS"
        verifier.set(reset=True)


@case("STS is slow: requests wait for one answer, and get theirs")
def slow(setting, verifier):
    verifier.set(sts={"delay": 3})
    with setting.proxy(verifier) as proxy, ThreadPoolExecutor(30) as pool:
        same(set(pool.map(lambda _: status(proxy), range(30))), {200})
    assert verifier.count("sts") <= 2, verifier.count("sts")


@case("STS hangs: an answer in bounded time")
def hanging(setting, verifier):
    verifier.set(sts={"delay": 120})
    with setting.proxy(verifier) as proxy:
        start = time.monotonic()
        same(status(proxy), 503)
        assert time.monotonic() - start < 30, time.monotonic() - start


@case("STS fails while the session is good: requests are served on")
def served_on(setting, verifier):
    # So short that the proxy wants another session at once.
    verifier.set(session_seconds=200)
    with setting.proxy(verifier) as proxy:
        same(status(proxy), 200)
        verifier.set(sts={"code": "Throttling", "status": 400})
        with Load(proxy, 4) as load:
            time.sleep(3)
        all_ok(load, 20)
        same(ready(proxy), 200)
    assert verifier.count("sts asked") < 60, "a stampede at STS"


@case("sessions end under load: no request is lost, with a body or without")
def revoked(setting, verifier):
    with setting.proxy(verifier) as proxy:
        same(status(proxy), 200)
        before = verifier.count("sts")
        with Load(proxy, 8) as reads, Load(proxy, 8, method="POST", body=b'{"a":1}') as writes:
            for _ in range(4):
                time.sleep(0.7)
                verifier.set(revoke=True)
            time.sleep(0.7)
        all_ok(reads, 50)
        all_ok(writes, 50)
        used = verifier.count("sts") - before
        assert used <= 8, f"{used} sessions for 4 ends"


@case("thirty requests find their session ended: one new session, as many answers")
def single_flight(setting, verifier):
    with setting.proxy(verifier) as proxy, ThreadPoolExecutor(30) as pool:
        same(status(proxy), 200)
        verifier.set(revoke=True, reset=True)
        same(set(pool.map(lambda _: status(proxy), range(30))), {200})
        assert verifier.count("sts") <= 2, verifier.count("sts")


@case("a long body is sent anew when its session has ended")
def long_body(setting, verifier):
    with setting.proxy(verifier) as proxy:
        same(status(proxy), 200)
        verifier.set(revoke=True)
        got, _, body = ask(proxy, "PUT", body=b"z" * (5 << 20))
        same((got, json.loads(body)["len"]), (200, 5 << 20))


@case("sessions of seconds: each request is signed with a good one")
def short_sessions(setting, verifier):
    verifier.set(session_seconds=3)
    with setting.proxy(verifier) as proxy:
        with Load(proxy, 4) as load:
            time.sleep(8)
        all_ok(load, 20)


@case("the clock is ten minutes off: the proxy takes the upstream's time")
def clock(setting, verifier):
    for skew in (600, -600):
        with setting.proxy(verifier) as proxy:
            verifier.set(skew=skew)
            same((skew, status(proxy, method="POST", body=b"{}")), (skew, 200))
            refused = verifier.count("refused")
            same({status(proxy) for _ in range(5)}, {200})
            same(verifier.count("refused"), refused)
            verifier.set(reset=True)

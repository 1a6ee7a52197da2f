"""Clients that leave, are slow on purpose, or only hold connections."""

import os
import resource
import socket
import time

from faults.case import Missing, case, same, status, until

IDLE = 10_000
# What ten thousand idle connections may cost, in MB, in a build without optimization.
MOST_IDLE_MEMORY = 200


def spooled(proxy):
    """The bytes in files that the proxy has open and nobody else can reach."""
    total = 0
    for entry in os.scandir(f"/proc/{proxy.pid}/fd"):
        try:
            if "(deleted)" in os.readlink(entry.path):
                total += os.stat(entry.path).st_size
        except OSError:
            pass
    return total


@case("clients that leave in the middle of long bodies: nothing arrives, no file is left")
def leaving(setting, verifier):
    folder = setting.folder / "spool-left"
    folder.mkdir(exist_ok=True)
    with setting.proxy(verifier, MLFLOW_PROXY_SPOOL_DIRECTORY=folder) as proxy:
        same(status(proxy), 200)
        before = verifier.count("PUT /__echo")
        clients = []
        for _ in range(10):
            client = socket.create_connection(("127.0.0.1", proxy.port))
            client.sendall(b"PUT /__echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50000000\r\n\r\n" + b"x" * (8 << 20))
            clients.append(client)
        until(lambda: spooled(proxy) > 20 << 20)
        for client in clients:
            client.close()
        until(lambda: spooled(proxy) == 0)
        same((list(folder.iterdir()), verifier.count("PUT /__echo")), ([], before))
        same(status(proxy), 200)


@case("long bodies at the same time: on disk, not in memory")
def parallel(setting, verifier):
    from concurrent.futures import ThreadPoolExecutor

    body = os.urandom(1 << 20) * 50
    with setting.proxy(verifier) as proxy, ThreadPoolExecutor(8) as pool:
        same(set(pool.map(lambda _: status(proxy, "PUT", body=body, limit=120), range(8))), {200})
        assert proxy.memory() < 60, f"{proxy.memory():.0f} MB"


@case("ten thousand idle connections: bounded memory, and requests go on")
def idle(setting, verifier):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE + 2000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise Missing(f"a process can have {hard} files open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))

    def more_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

    try:
        with setting.proxy(verifier, before=more_files) as proxy:
            same(status(proxy), 200)
            before = proxy.memory("VmRSS")
            clients = []
            try:
                for number in range(IDLE):
                    # From an address of their own: the ports of this one are for everybody else.
                    client = socket.create_connection(("127.0.0.1", proxy.port), 30, ("127.0.0.2", 0))
                    # Half have asked once, half never.
                    if number % 2:
                        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                    clients.append(client)
                until(lambda: status(proxy) == 200, 30)
                for client in clients[1::2]:
                    assert client.recv(100).startswith(b"HTTP/1.1 200")
                memory = proxy.memory("VmRSS")
                print(f"                  {IDLE} idle connections: {memory - before:.0f} MB more", flush=True)
                assert memory - before < MOST_IDLE_MEMORY, f"{memory - before:.0f} MB more"
                same(status(proxy), 200)
            finally:
                for client in clients:
                    client.close()
            until(lambda: status(proxy) == 200)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def drip(port, first, piece, pause, limit):
    """Sends bytes one by one and gives the seconds until the other side ended it, with what it said."""
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=pause) as client:
        client.sendall(first)
        said = b""
        while time.monotonic() - start < limit:
            try:
                got = client.recv(1000)
                said += got
                if not got:
                    return time.monotonic() - start, said
            except TimeoutError:
                pass
            except ConnectionError:
                return time.monotonic() - start, said
            try:
                client.sendall(piece)
            except ConnectionError:
                return time.monotonic() - start, said
    raise AssertionError(f"still open after {limit} s")


@case("heads that never end are cut off")
def slow_heads(setting, verifier):
    with setting.proxy(verifier, MLFLOW_PROXY_HEAD_TIMEOUT="3") as proxy:
        seconds, _ = drip(proxy.port, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X", 0.5, 12)
        assert 2 < seconds < 8, seconds
        seconds, _ = drip(proxy.port, b"G", b"", 0.5, 12)
        assert 2 < seconds < 8, seconds


@case("bodies that stop are answered 408, those that only crawl are cut off in time")
def slow_bodies(setting, verifier):
    with setting.proxy(verifier, MLFLOW_PROXY_BODY_TIMEOUT="3") as proxy:
        first = b"PUT /__echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nabc"
        seconds, said = drip(proxy.port, first, b"", 0.5, 15)
        assert 2 < seconds < 10 and b" 408 " in said, (seconds, said)
        seconds, said = drip(proxy.port, first, b"x", 0.5, 25)
        assert 2 < seconds < 20 and b" 408 " in said, (seconds, said)


@case("idle connections are ended, but not before a load balancer would")
def keep_alive(setting, verifier):
    with setting.proxy(verifier, MLFLOW_PROXY_KEEP_ALIVE="3") as proxy:
        seconds, said = drip(proxy.port, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"", 0.5, 15)
        assert 2 < seconds < 8 and b" 200 " in said, (seconds, said)


@case("more connections than allowed: those that are there go on")
def too_many(setting, verifier):
    with setting.proxy(verifier, MLFLOW_PROXY_MAX_CONNECTIONS="20") as proxy:
        first = socket.create_connection(("127.0.0.1", proxy.port), timeout=10)
        asked = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        first.sendall(asked)
        assert b" 200 " in first.recv(1000)
        others = [socket.create_connection(("127.0.0.1", proxy.port), timeout=10) for _ in range(40)]
        time.sleep(0.3)
        first.sendall(asked)
        assert b" 200 " in first.recv(1000)
        for client in (first, *others):
            client.close()
        until(lambda: safe(proxy) == 200)


def safe(proxy):
    try:
        return status(proxy)
    except OSError:
        return 0

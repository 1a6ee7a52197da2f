"""A stop signal: what was accepted is answered, and the program ends by itself."""

import signal
import socket
import time

from faults.case import Load, all_ok, ask, case, same, status


@case("a stop under load loses no accepted request")
def under_load(setting, verifier):
    with setting.proxy(verifier, MLFLOW_PROXY_DRAIN_DELAY="2") as proxy:
        same(status(proxy), 200)
        with Load(proxy, 8) as reads, Load(proxy, 8, method="POST", body=b'{"a":1}') as writes:
            time.sleep(1.5)
            proxy.signal(signal.SIGTERM)
            time.sleep(0.3)
            same(ask(proxy, target="/readyz")[0], 503)
            for load in (reads, writes):
                load.stay()
            same(proxy.wait(60), 0)
        all_ok(reads, 20)
        all_ok(writes, 20)


@case("a long upload survives a stop")
def long_upload(setting, verifier):
    with setting.proxy(verifier, MLFLOW_PROXY_DRAIN_DELAY="0") as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            client.sendall(b"PUT /__echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 400\r\n\r\n")
            for number in range(40):
                client.sendall(b"x" * 10)
                if number == 3:
                    proxy.signal(signal.SIGTERM)
                time.sleep(0.5)
            said = client.recv(65536)
        assert said.startswith(b"HTTP/1.1 200") and b"connection: close" in said.lower(), said[:300]
        same(proxy.wait(30), 0)


@case("idle connections do not delay a stop")
def idle(setting, verifier):
    with setting.proxy(verifier, MLFLOW_PROXY_DRAIN_DELAY="0") as proxy:
        clients = [socket.create_connection(("127.0.0.1", proxy.port), timeout=10) for _ in range(50)]
        for client in clients[:25]:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            client.recv(1000)
        start = time.monotonic()
        proxy.signal(signal.SIGTERM)
        same(proxy.wait(30), 0)
        assert time.monotonic() - start < 8, time.monotonic() - start
        for client in clients:
            client.close()

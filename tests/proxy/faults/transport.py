"""TLS on both sides, HTTP/2 from clients, and addresses of IPv6."""

import http.client
import json
import shutil
import socket
import ssl
import subprocess

from faults.case import Missing, ask, case, same, status, until
from processes.certificates import Certificates


def curl(*arguments):
    """What curl gets: the version of HTTP and the body."""
    program = shutil.which("curl")
    if not program or b"HTTP2" not in subprocess.run([program, "--version"], capture_output=True).stdout:
        raise Missing("no curl that speaks HTTP/2")
    told = ["--silent", "--show-error", "--noproxy", "*", "--max-time", "20", "--write-out", "\n%{http_version} %{http_code}"]
    said = subprocess.run([program, *told, *arguments], capture_output=True, text=True, timeout=30)
    assert said.returncode == 0, said.stderr
    body, _, last = said.stdout.rpartition("\n")
    return last, body


@case("an MLflow whose certificate nobody knows is not asked; with the authority's file it is")
def unknown_authority(setting, verifier):
    endpoint = f"https://localhost:{verifier.ports['secure']}"
    with setting.proxy(verifier, SM_MLFLOW_ENDPOINT=endpoint) as proxy:
        before = verifier.count("GET /__echo")
        got, _, body = ask(proxy)
        assert got in (502, 503) and json.loads(body)["error_code"], (got, body)
        same(verifier.count("GET /__echo"), before)
    bundle = setting.certificates.authority
    with setting.proxy(verifier, SM_MLFLOW_ENDPOINT=endpoint, MLFLOW_PROXY_CA_BUNDLE=bundle) as proxy:
        same(status(proxy), 200)
        same(status(proxy, "PUT", body=b"x" * (3 << 20)), 200)


@case("a certificate for another name is not taken")
def other_name(setting, verifier):
    endpoint = f"https://127.0.0.2:{verifier.ports['secure']}"
    bundle = setting.certificates.authority
    with setting.proxy(verifier, SM_MLFLOW_ENDPOINT=endpoint, MLFLOW_PROXY_CA_BUNDLE=bundle) as proxy:
        assert status(proxy) in (502, 503)


@case("TLS of its own, with HTTP/1.1 and HTTP/2")
def own_tls(setting, verifier):
    files = setting.certificates
    settings = {"MLFLOW_PROXY_TLS_CERTIFICATE": files.chain, "MLFLOW_PROXY_TLS_KEY": files.key}
    with setting.proxy(verifier, **settings) as proxy:
        context = ssl.create_default_context(cafile=files.authority)
        connection = http.client.HTTPSConnection("localhost", proxy.port, context=context, timeout=20)
        connection.request("GET", "/__echo", headers={"Host": "127.0.0.1"})
        answer = connection.getresponse()
        same((answer.status, "strict-transport-security" in str(answer.headers).lower()), (200, True))
        connection.close()
        url = f"https://localhost:{proxy.port}/__echo/2"
        same(curl("--cacert", str(files.authority), "--http2", url)[0], "2 200")
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            said = client.recv(1000)
            assert not said.startswith(b"HTTP/1.1 200"), said


@case("a new certificate is taken without a new start, and half of one is not")
def new_certificate(setting, verifier):
    folder = setting.folder / "renewed"
    old, new = Certificates(folder / "old"), Certificates(folder / "new")
    chain, key = folder / "chain.pem", folder / "key.pem"
    shutil.copy(old.chain, chain)
    shutil.copy(old.key, key)
    settings = {"MLFLOW_PROXY_TLS_CERTIFICATE": chain, "MLFLOW_PROXY_TLS_KEY": key}
    with setting.proxy(verifier, **settings) as proxy:

        def trusted(files):
            context = ssl.create_default_context(cafile=files.authority)
            connection = http.client.HTTPSConnection("localhost", proxy.port, context=context, timeout=20)
            try:
                connection.request("GET", "/healthz")
                return connection.getresponse().status == 200
            except ssl.SSLCertVerificationError:
                return False
            finally:
                connection.close()

        assert trusted(old) and not trusted(new)
        shutil.copy(new.chain, chain)
        until(lambda: b"the old TLS certificate stays in use" in proxy.log.read_bytes(), 30)
        assert trusted(old)
        shutil.copy(new.key, key)
        until(lambda: trusted(new), 30)
        assert not trusted(old)


@case("HTTP/2 without TLS, as load balancers speak it to their targets")
def plain_http2(setting, verifier):
    with setting.proxy(verifier) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/__echo/a%2Fb?c=d+e"
        version, body = curl("--http2-prior-knowledge", "-X", "PUT", "--data-binary", "x" * 100000, url)
        same(version, "2 200")
        shown = json.loads(body)
        same((shown["raw"], shown["len"]), ("/__echo/a%2Fb?c=d%20e", 100000))
        file = setting.folder / "body.bin"
        file.write_bytes(bytes(20 << 20))
        version, body = curl("--http2-prior-knowledge", "-T", str(file), f"http://127.0.0.1:{proxy.port}/__echo")
        same((version, json.loads(body)["len"]), ("2 200", 20 << 20))


@case("an address of IPv6")
def version_six(setting, verifier):
    try:
        with socket.socket(socket.AF_INET6) as listener:
            listener.bind(("::1", 0))
            port = listener.getsockname()[1]
    except OSError:
        raise Missing("no IPv6 here") from None
    # The helper that waits for the proxy asks by IPv4, so that this one listens on both.
    with setting.proxy(verifier, MLFLOW_PROXY_METRICS_LISTEN=f"[::1]:{port}") as proxy:

        def answers():
            connection = http.client.HTTPConnection("::1", port, timeout=5)
            try:
                connection.request("GET", "/metrics")
                return connection.getresponse().status == 200
            finally:
                connection.close()

        until(answers)
        same(status(proxy), 200)

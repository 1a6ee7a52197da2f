"""The Compose kit: its MLflow, nginx and store's keys, run natively by what the Compose file says."""

import json
import subprocess
import sys
from pathlib import Path

from gate import Gate
from processes.child import free_port
from service import Service, descendants, leaks
from setting import KIT_USER
from web import Nginx, request

# What breaks URLs, files of passwords, shells and percent-encoding.
ODD = r"""p@s:s\w/o%41rd #?$'"+&=é"""
CLIENT = Path(__file__).resolve().parent / "client.py"
SIZE = 30


def client_variables(kit):
    lines = (kit / ".env.client").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def run_client(setting, variables, size=SIZE):
    environment = setting.environment(setting.folder, **variables)
    done = subprocess.run(
        [sys.executable, CLIENT, str(size)], env=environment, capture_output=True, text=True, timeout=240
    )
    if done.returncode:
        return {"failed": done.stderr[-1500:]}
    return json.loads(done.stdout.splitlines()[-1])


def tables(setting, kit, place, checks):
    """`upgrade` makes the tables, with a password that is odd in every way."""
    user = place.replace("-", "_")
    setting.database.make(user, ODD)
    (kit / "secrets/database_password").write_text(ODD + "\n")
    where = {"PGHOST": setting.database.HOST, "PGPORT": str(setting.database.port), "PGUSER": user, "PGDATABASE": user}
    where["PGSSLMODE"] = "require"
    schema = Service(setting, kit, "schema", f"{place}-schema", 0, **where)
    child = schema.start(f"{place}-schema", kit / "serve")
    status = child.wait(180)
    child.stop()
    checks.equal(f"{place}: serve upgrade ends well", status, 0)
    if status:
        checks.failed("its words", child.last_words())
    count = setting.database.ask("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'", user)
    checks.that(f"{place}: the tables are there", int(count or 0) > 50, count)
    checks.equal(f"{place}: no password in the log of the upgrade", leaks(ODD, child.log, []), [])
    return where


def bucket(setting, kit, checks):
    """bucket.py makes the bucket once, and finds out a store that lets everybody in."""
    identities = kit / "secrets/store_identities.json"
    command = [sys.executable, kit / "bucket.py"]
    environment = setting.environment(setting.folder, MLFLOW_KIT_SECRETS=kit / "secrets")

    def run(url, name):
        done = subprocess.run([*command, url, name], env=environment, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    with Gate(setting.emulator.url, identities) as store:
        code, said = run(store.url, "mlflow")
        checks.that("the bucket is made and is private", code == 0 and "made the bucket" in said, said)
        code, said = run(store.url, "mlflow")
        checks.that("a bucket that is there is no mistake", code == 0 and "is there" in said, said)
    with Gate(setting.emulator.url, None) as store:
        code, said = run(store.url, "mlflow")
        wanted = ["anybody can read", "anybody can list", "can make buckets"]
        checks.that("a store that everybody reads is found out", code == 1 and all(it in said for it in wanted), said)


def published(setting, kit, mlflow, nginx, checks):
    """What nginx lets through."""
    base, user = f"http://127.0.0.1:{nginx.port}", "mlflow"
    host = {"Host": f"localhost:{nginx.port}"}
    password = (kit / "secrets/mlflow_password").read_text().strip()
    search = "/mlflow/api/2.0/mlflow/experiments/search?max_results=1"
    checks.equal("without a password", request(base + search, **host)[0], 401)
    checks.equal("with a wrong one", request(base + search, user, "wrong", **host)[0], 401)
    status, body = request(base + search, user, password, **host)
    checks.that("with the right one", status == 200 and b"experiments" in body, f"{status} {body[:200]}")
    checks.equal("health is open", request(base + "/health"), (200, b"OK"))
    checks.equal("the page is below the prefix", request(base + "/mlflow/", user, password, **host)[0], 200)
    checks.equal("the prefix without its slash", request(base + "/mlflow", user, password, **host)[0], 308)
    checks.equal("nothing is beside the prefix", request(base + "/api/2.0/mlflow/experiments/search", user, password)[0], 404)
    wrong = request(base + search, user, password, Host="evil.example.com")[0]
    checks.equal("another name is refused by MLflow", wrong, 403)
    create, body = "/mlflow/api/2.0/mlflow/experiments/create", b'{"name": "from a page"}'
    kind = {"Content-Type": "application/json", **host}
    evil = request(base + create, user, password, "POST", body, Origin="https://evil.example.com", **kind)[0]
    checks.equal("a page elsewhere changes nothing", evil, 403)
    own = request(base + create, user, password, "POST", body, Origin=f"http://localhost:{nginx.port}", **kind)[0]
    checks.equal("our own page does", own, 200)
    direct = request(mlflow + "/api/3.0/mlflow/server-info", Host=f"localhost:{nginx.port}")
    checks.that("MLflow itself would hand out links", b'"multipart_downloads_enabled":true' in direct[1], direct)
    info = request(base + "/mlflow/api/3.0/mlflow/server-info", user, password, **host)[0]
    checks.equal("clients do not learn of them", info, 404)


def small_bodies(setting, kit, mlflow, port, checks):
    """The kit's limit is what lets large files in: without its line they are refused, as in the recipe's usual nginx."""

    def without(text):
        return text.replace("client_max_body_size 10G;", "")

    password = (kit / "secrets/mlflow_password").read_text().strip()
    path = "/mlflow/api/2.0/mlflow-artifacts/artifacts/size/3.bin"
    body, host = bytes(3 << 20), {"Host": f"localhost:{port}", "Content-Type": "application/octet-stream"}
    with Nginx(setting, "nginx-small", kit, mlflow, change=without) as small:
        status = request(f"http://127.0.0.1:{small.port}{path}", "mlflow", password, "PUT", body, **host)[0]
    checks.equal("3 MB at nginx's own limit", status, 413)


def proxied(setting, checks):
    """MLflow carries artifacts into the kit's store."""
    published_on = free_port()
    kit, report = setting.kit("compose", "compose-proxied", "--port", published_on)
    modes = {it["path"]: it["mode"] for it in report["files"]}
    checks.equal("secrets are for their owner", {modes[it] for it in modes if it.startswith("secrets/")}, {"0600"})
    where = tables(setting, kit, "compose-proxied", checks)
    bucket(setting, kit, checks)
    with Gate(setting.emulator.url, kit / "secrets/store_identities.json") as store:
        port = free_port()
        service = Service(
            setting, kit, "mlflow", "compose-mlflow", port, **where, MLFLOW_S3_ENDPOINT_URL=store.url
        )
        with service.start("compose-mlflow", kit / "serve") as mlflow:
            url = f"http://127.0.0.1:{port}"
            mlflow.until_answers(url + "/health", 300)
            nginx = Nginx(setting, "nginx-proxied", kit, url, port=published_on)
            checks.equal("nginx takes its configuration", nginx.test(), "")
            with nginx:
                published(setting, kit, url, nginx, checks)
                variables = client_variables(kit)
                small_bodies(setting, kit, url, published_on, checks)
                answer = run_client(setting, variables | {"NO_PROXY": "*"})
                checks.that("a file of 30 MB goes there and back", answer.get("same"), answer)
                carried = "GET /mlflow/api/2.0/mlflow-artifacts/artifacts/"
                checks.that("MLflow carries it back", carried in nginx.log(), nginx.log()[-1500:])
                pids = descendants(mlflow.pid)
                checks.equal("nobody reads the password of the database", leaks(ODD, mlflow.log, pids), [])
                key = (kit / "secrets/store_server").read_text().split("= ")[-1].strip()
                checks.equal("nobody reads the key of the store", leaks(key, mlflow.log, pids), [])
        keys = {key for key, _, path in store.asked if path.startswith("/mlflow/")}
        admin = (kit / "secrets/store_admin").read_text()
        checks.that("MLflow has no key that rules the store", keys and not any(it in admin for it in keys if it), keys)


def direct(setting, checks):
    """Clients carry artifacts themselves, by TLS and with a key of their own."""
    published_on = free_port()
    flags = ("--tls", "files", "--uploads", "direct", "--prefix", "", "--port", published_on)
    kit, report = setting.kit("compose", "compose-direct", *flags)
    missing = [it["path"] for it in report["files"] if it["outcome"] == "to-fill-in"]
    checks.equal("the certificate is for people to fill in", missing, ["secrets/tls_chain.pem", "secrets/tls_key.pem"])
    (kit / "secrets/tls_chain.pem").write_bytes(setting.certificates.chain.read_bytes())
    (kit / "secrets/tls_key.pem").write_bytes(setting.certificates.key.read_bytes())
    where = tables(setting, kit, "compose-direct", checks)
    with Gate(setting.emulator.url, kit / "secrets/store_identities.json") as store:
        port = free_port()
        service = Service(setting, kit, "mlflow", "direct-mlflow", port, **where, MLFLOW_S3_ENDPOINT_URL=store.url)
        with service.start("direct-mlflow", kit / "serve") as mlflow:
            mlflow.until_answers(f"http://127.0.0.1:{port}/health", 300)
            nginx = Nginx(setting, "nginx-direct", kit, f"http://127.0.0.1:{port}", store.url, published_on)
            checks.equal("nginx takes its configuration with TLS", nginx.test(), "")
            with nginx:
                base, authority = f"https://localhost:{nginx.port}", str(setting.certificates.authority)
                status = request(base + "/api/2.0/mlflow/experiments/search?max_results=1", authority=authority)[0]
                checks.equal("a password is wanted by TLS too", status, 401)
                variables = client_variables(kit)
                checks.equal("what clients are told", variables["MLFLOW_TRACKING_URI"], base)
                variables["MLFLOW_S3_ENDPOINT_URL"] = f"https://localhost:{nginx.store_port}"
                trust = {"REQUESTS_CA_BUNDLE": authority, "AWS_CA_BUNDLE": authority, "NO_PROXY": "*"}
                answer = run_client(setting, variables | trust, 3)
                checks.that("a client carries its file itself", answer.get("same"), answer)
                checks.that("into the store", str(answer.get("at")).startswith("s3://mlflow/artifacts"), answer)
                nobody = request(f"https://localhost:{nginx.store_port}/mlflow?list-type=2", authority=authority)[0]
                checks.equal("the store is closed to others", nobody, 403)
        used = {key for key, method, path in store.asked if method == "PUT" and path.startswith("/mlflow/artifacts")}
        checks.equal("with the key of clients", used, {variables["AWS_ACCESS_KEY_ID"]})


def run(setting, checks):
    proxied(setting, checks)
    direct(setting, checks)
    checks.that("the owner of the secrets is no root", KIT_USER > 0)

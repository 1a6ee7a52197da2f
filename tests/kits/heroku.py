"""The Heroku kit: its run program, executed as a dyno does, with each form of URL, each kind of port and each death."""

import json
import os
import random
import signal
import socket
import sys
import time
from pathlib import Path
from urllib.parse import quote

from compose import ODD, SIZE, run_client
from processes.servers import ROOT
from service import descendants, leaks, memory
from web import request

# In MB (Heroku's dyno types, 2026): apps/kits/src/heroku.rs has the same figure.
DYNOS = {"standard-2x": 1024}
# What is left of a dyno for requests that are larger than ours.
SHARE = 0.8
HOST = "my-mlflow-0123.herokuapp.com"
PEOPLE_PASSWORD = "päss : word $(id) 'x' \"y\""


class Dyno:
    """The run program with the variables of an app."""

    def __init__(self, setting, kit, name, port, **changed):
        self.setting, self.kit, self.name, self.port = setting, kit, name, port
        self.url = f"http://127.0.0.1:{port}"
        self.scratch = setting.scratch(f"{name}-scratch")
        variables = {
            "PORT": port,
            "S3_LOCATION": f"{ROOT}/{name}",
            "MLFLOW_S3_ENDPOINT_URL": setting.emulator.url,
            "AWS_ACCESS_KEY_ID": "111122223333",
            "AWS_SECRET_ACCESS_KEY": "emulator",
            "BASIC_AUTH_USER": "team",
            "BASIC_AUTH_PASSWORD": PEOPLE_PASSWORD,
            "MLFLOW_HOSTS": f"{HOST},localhost,localhost:{port}",
        } | changed
        variables = {name: value for name, value in variables.items() if value is not None}
        self.environment = setting.environment(self.scratch, **variables)
        self.environment["PATH"] += ":/usr/sbin"

    def start(self, verb):
        command = [sys.executable, self.kit / "run.py", verb]
        return self.setting.start(f"{self.name}-{verb}", command, self.environment, self.scratch)

    def once(self, verb):
        """Runs a verb that ends, and gives its status and its words."""
        child = self.start(verb)
        try:
            status = child.wait(180)
        finally:
            child.stop()
        return status, child.last_words(), child.log


def url_of(setting, scheme, user, more=""):
    where = f"{setting.database.HOST}:{setting.database.port}"
    return f"{scheme}://{quote(user, safe='')}:{quote(ODD, safe='')}@{where}/{user}{more}"


def named(pid, *words):
    """The processes below one whose command lines have all words."""
    found = []
    for each in descendants(pid):
        try:
            line = Path(f"/proc/{each}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if all(word in line for word in words):
            found.append(each)
    return found


def inner_port(pid):
    """The port that MLflow was started with."""
    words = Path(f"/proc/{named(pid, 'mlflow', 'server')[0]}/cmdline").read_bytes().decode().split("\0")
    return words[words.index("--port") + 1]


def is_gone(pids, limit=15):
    """Whether all processes have ended."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.1)
    return False


def serves(dyno, checks):
    """What a dyno lets through."""
    search = dyno.url + "/api/2.0/mlflow/experiments/search?max_results=1"
    host = {"Host": HOST, "X-Forwarded-Proto": "https"}
    checks.equal(f"{dyno.name}: without a password", request(search, **host)[0], 401)
    password = PEOPLE_PASSWORD
    checks.equal(f"{dyno.name}: with the right one", request(search, "team", password, **host)[0], 200)
    checks.equal(f"{dyno.name}: with a wrong one", request(search, "team", "wrong", **host)[0], 401)
    checks.equal(f"{dyno.name}: health is open", request(dyno.url + "/health"), (200, b"OK"))
    plain = request(search, "team", password, Host=HOST, X_Forwarded_Proto="http")[0]
    checks.equal(f"{dyno.name}: without TLS people are sent on", plain, 308)
    evil = request(search, "team", password, Host="evil.example.com", X_Forwarded_Proto="https")[0]
    checks.equal(f"{dyno.name}: another name is refused", evil, 403)


def from_postgres(setting, kit, checks):
    """`postgres://` as Heroku writes it, an odd password, 30 MB; then MLflow dies."""
    setting.database.make("dyno_one", ODD)
    # 5000 is MLflow's own usual port, which Heroku may give out as well.
    dyno = Dyno(setting, kit, "dyno-one", free_or(5000), DATABASE_URL=url_of(setting, "postgres", "dyno_one"))
    checks.equal("check finds everything", dyno.once("check")[:1], (0,))
    status, words, _ = dyno.once("upgrade")
    checks.that("the release makes the tables", status == 0, words)
    with dyno.start("serve") as child:
        child.until_answers(dyno.url + "/health", 300)
        serves(dyno, checks)
        variables = {
            "MLFLOW_TRACKING_URI": f"http://localhost:{dyno.port}",
            "MLFLOW_TRACKING_USERNAME": "team",
            "MLFLOW_TRACKING_PASSWORD": PEOPLE_PASSWORD,
            "NO_PROXY": "*",
            # The emulator does not serve parts of a file by a link, as S3 does.
            "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
        }
        storage = {name: dyno.environment[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        answer = run_client(setting, variables | storage)
        checks.that("a file of 30 MB goes there and back", answer.get("same"), answer)
        pids = descendants(child.pid)
        used = memory(pids)
        size = json.loads((kit / "app.json").read_text())["formation"]["web"]["size"]
        checks.note(f"memory of all processes after 30 MB there and back: {used:.0f} MB of the {DYNOS[size]} MB of {size}")
        checks.that("MLflow has another port than the dyno", inner_port(child.pid) != str(dyno.port), dyno.port)
        checks.that("the dyno is large enough", used < SHARE * DYNOS[size], f"{used:.0f} MB")
        inner = [pid for pid in pids if pid != child.pid]
        checks.equal("no child knows the database's password", leaks(ODD, child.log, inner), [])
        checks.equal("nor has its URL", leaks(quote(ODD, safe=""), child.log, inner), [])
        checks.equal("nor people's password", leaks(PEOPLE_PASSWORD, child.log, inner), [])
        killed = named(child.pid, "mlflow", "server")[0]
        os.kill(killed, signal.SIGKILL)
        status = child.wait(40)
        checks.equal("when MLflow dies, the dyno ends with an error", status, 1)
        checks.that("and says so", "MLflow ended with -9" in child.last_words(), child.last_words())
        checks.that("and nothing goes on", is_gone(pids), named(1, str(dyno.port)))


def from_postgresql(setting, kit, checks):
    """`postgresql://` and another port; then nginx dies."""
    setting.database.make("dyno_two", ODD)
    url = url_of(setting, "postgresql", "dyno_two", "?sslmode=require")
    dyno = Dyno(setting, kit, "dyno-two", own_port(), DATABASE_URL=url)
    with dyno.start("serve") as child:
        child.until_answers(dyno.url + "/health", 300)
        serves(dyno, checks)
        pids = descendants(child.pid)
        os.kill(named(child.pid, "nginx: master")[0], signal.SIGKILL)
        status = child.wait(40)
        checks.equal("when nginx dies, the dyno ends with an error", status, 1)
        checks.that("and nothing goes on", is_gone(pids), "something goes on")


def asked_to_end(setting, kit, checks):
    """Heroku asks by SIGTERM; whatever MLflow is doing then."""
    url = url_of(setting, "postgres", "dyno_two")
    dyno = Dyno(setting, kit, "dyno-three", own_port(), DATABASE_URL=url)
    with dyno.start("serve") as child:
        child.until(lambda: named(child.pid, "nginx: master") and named(child.pid, "mlflow", "server"), 60)
        pids = descendants(child.pid)
        child.signal(signal.SIGTERM)
        checks.equal("it ends well when it is asked to", child.wait(40), 0)
        checks.that("with all that it has started", is_gone(pids), "something goes on")


def preflight(setting, kit, checks):
    """All that is missing is told at once, and no part of a secret is."""
    left_out = ("DATABASE_URL", "S3_LOCATION", "AWS_SECRET_ACCESS_KEY", "BASIC_AUTH_PASSWORD", "MLFLOW_HOSTS")
    dyno = Dyno(setting, kit, "dyno-bare", own_port(), **dict.fromkeys(left_out))
    status, words, _ = dyno.once("serve")
    checks.equal("a dyno without its variables does not start", status, 78)
    checks.that("and all of them are told", all(f"{name} is not set" in words for name in left_out), words)
    raw = f"postgres://user:{ODD}@localhost:5432/name"
    for name, url in (("dyno-raw", raw), ("dyno-other", "mysql://user:topsecret@localhost/name")):
        status, words, log = Dyno(setting, kit, name, own_port(), DATABASE_URL=url).once("check")
        checks.that(f"{name}: such a URL is refused", status == 78 and "DATABASE_URL" in words, words)
        found = [it for it in ("topsecret", ODD, "p@s", "41rd") if leaks(it, log, [])]
        checks.equal(f"{name}: none of it is shown", found, [])


def urls(kit, checks):
    """The table of URLs: what libpq is told."""
    sys.path.insert(0, str(kit))
    try:
        import run as program
    finally:
        sys.path.remove(str(kit))
    usual = {"PGHOST": "h", "PGPORT": "5432", "PGUSER": "u", "PGDATABASE": "d", "PGSSLMODE": "require"}
    table = {
        "postgres://u:p@h/d": (usual, "p"),
        "postgresql://u:p@h:5432/d": (usual, "p"),
        "postgresql+psycopg2://u:p@h/d": (usual, "p"),
        "postgres://u:p%40%2F%3A%25@h:6543/d": (usual | {"PGPORT": "6543"}, "p@/:%"),
        "postgres://u%20v:@h/d%2De?sslmode=disable": (
            usual | {"PGUSER": "u v", "PGDATABASE": "d-e", "PGSSLMODE": "disable"}, ""),
    }  # fmt: skip
    for url, wanted in table.items():
        checks.equal(f"the URL {url}", program.database(url), wanted)
    for url in ("mysql://u:p@h/d", "postgres:///d", "postgres://u:p@h", "postgres://u:p@h:port/d", "postgresqlql://u:p@h/d"):
        try:
            program.database(url)
            checks.failed(f"the URL {url}", "it is taken")
        except program.Wrong:
            checks.that("it is refused", True)


def own_port():
    """A free port that the system takes for no connection before nginx listens on it."""
    return free_or(random.randrange(20000, 32000))


def free_or(port):
    """A port that is wanted, or another one where somebody listens on it."""
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
            return port
        except OSError:
            return own_port()


def run(setting, checks):
    kit, _ = setting.kit("heroku", "heroku", "--app-name", "my-mlflow", "--host", HOST, "--s3-location", "s3://bucket/prefix")
    if os.geteuid() == 0:
        # A dyno has no root. Here nginx's workers would be somebody else, who may read none of our files.
        configuration = kit / "nginx.conf"
        configuration.write_text("user root;\n" + configuration.read_text())
    urls(kit, checks)
    preflight(setting, kit, checks)
    from_postgres(setting, kit, checks)
    from_postgresql(setting, kit, checks)
    asked_to_end(setting, kit, checks)

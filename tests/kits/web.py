"""nginx and MLflow as a kit configures them, and plain requests to them."""

import base64
import os
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

from processes.child import free_port
from setting import as_kit_user


def request(url, user=None, password="", method="GET", body=None, authority=None, **headers):
    """The status and the body of an answer."""
    asked = urllib.request.Request(url, data=body, method=method)
    if user is not None:
        asked.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
    for name, value in headers.items():
        asked.add_header(name.replace("_", "-"), value)
    context = ssl.create_default_context(cafile=authority) if authority else None
    opener = urllib.request.build_opener(NoRedirect, urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(asked, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Nginx:
    """nginx with the configuration of a Compose kit, its containers' names and folders replaced by ours."""

    def __init__(self, setting, name, kit, mlflow, store=None, port=None, change=lambda text: text):
        self.setting, self.name = setting, name
        self.port, self.store_port = port or free_port(), free_port()
        self.scratch = setting.scratch(f"{name}-scratch")
        text = (kit / "nginx/nginx.conf").read_text()
        ours = {
            "listen 8080": f"listen 127.0.0.1:{self.port}",
            "listen 8443": f"listen 127.0.0.1:{self.port}",
            "listen 9443": f"listen 127.0.0.1:{self.store_port}",
            "mlflow:5000": mlflow.removeprefix("http://"),
            "store:8333": (store or "").removeprefix("http://"),
            "/run/secrets/": f"{kit}/secrets/",
        }
        text = text.replace("/tmp", str(self.scratch))
        for theirs, own in ours.items():
            text = text.replace(theirs, own)
        self.file = setting.folder / f"{name}.conf"
        self.file.write_text(change(text))
        self.child = None

    def test(self):
        """What nginx says of the configuration; nothing when it is good."""
        command = [shutil.which("nginx", path="/usr/sbin:" + os.environ["PATH"]), "-e", "stderr", "-t", "-c", self.file]
        log = self.setting.log(f"{self.name}-test")
        with open(log, "ab") as file:
            done = subprocess.run(
                [str(it) for it in command], stdout=file, stderr=file, timeout=30, preexec_fn=as_kit_user, check=False
            )
        return log.read_text() if done.returncode else ""

    def __enter__(self):
        nginx = shutil.which("nginx", path="/usr/sbin:" + os.environ["PATH"])
        command = [nginx, "-e", "stderr", "-c", self.file, "-g", "daemon off;"]
        environment = self.setting.environment(self.scratch)
        self.child = self.setting.start(self.name, command, environment, self.scratch, as_kit_user)
        self.child.until(self._listens, 30)
        return self

    def __exit__(self, *_):
        self.child.stop()

    def _listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def log(self):
        return self.child.log.read_text(errors="replace")

"""A service of a Compose file, run natively: its environment, its secrets and its command."""

import os
import shutil
from pathlib import Path

import yaml

from setting import KIT_USER


class Service:
    """MLflow as the Compose file says; the addresses of other containers are replaced by ours."""

    def __init__(self, setting, kit, name, place, port, **addresses):
        file = yaml.safe_load((kit / "compose.yaml").read_text())
        found = file["services"][name]
        self.setting, self.port = setting, port
        self.command = found["command"]
        self.scratch = setting.scratch(f"{place}-scratch")
        self.secrets = self._mounted(setting.folder / f"{place}-secrets", kit, file, found)
        plain = {name: str(value) for name, value in found.get("environment", {}).items()} | addresses
        if plain.get("MLFLOW_KIT_ARTIFACTS") == "/mlflow/artifacts":
            plain["MLFLOW_KIT_ARTIFACTS"] = str(kit / "data/artifacts")
        own = {"MLFLOW_KIT_SECRETS": self.secrets, "MLFLOW_KIT_HOST": "127.0.0.1", "MLFLOW_KIT_PORT": port}
        self.environment = setting.environment(self.scratch, **plain, **own)

    @staticmethod
    def _mounted(folder, kit, file, service):
        """The secrets under the names that the service sees, with their owner and mode."""
        folder.mkdir(mode=0o700)
        for secret in service.get("secrets", []):
            source, target = (secret, secret) if isinstance(secret, str) else (secret["source"], secret["target"])
            path = kit / file["secrets"][source]["file"]
            copied = shutil.copy2(path, folder / target)
            if os.geteuid() == 0:
                os.chown(copied, path.stat().st_uid, path.stat().st_gid)
        if os.geteuid() == 0:
            os.chown(folder, KIT_USER, KIT_USER)
        return folder

    def start(self, name, program):
        return self.setting.start(name, [program, *self.command], self.environment, self.scratch)


def leaks(secret, log, pids):
    """Where a secret can be read by others than its owner: logs and command lines of processes, and environments."""
    found = []
    needle = secret.encode()
    if needle in Path(log).read_bytes():
        found.append("the log")
    for pid in pids:
        for what in ("cmdline", "environ"):
            try:
                if needle in Path(f"/proc/{pid}/{what}").read_bytes():
                    found.append(f"{what} of {pid}")
            except OSError:
                pass
    return found


def descendants(pid):
    """A process and all that it has started."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def memory(pids):
    """The memory of processes in MB; what several share counts once."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024

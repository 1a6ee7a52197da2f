"""Limits of bodies and disks: what is too much is refused, and the proxy goes on."""

import os
import shutil
import subprocess

from faults.case import Missing, ask, case, same, status

MOUNT = 'mount -t tmpfs -o size=8m tmpfs "$0" && exec "$@"'


@case("the disk is full: 507 or 503, no crash, and room again afterwards")
def disk_full(setting, verifier):
    folder = setting.folder / "small-disk"
    folder.mkdir(exist_ok=True)
    private = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    wrapper = [*private, "sh", "-c", MOUNT, str(folder)]
    if not shutil.which("unshare") or subprocess.run([*wrapper, "true"], capture_output=True).returncode:
        raise Missing("a private mount is not allowed here")
    with setting.proxy(verifier, wrapper=wrapper, MLFLOW_PROXY_SPOOL_DIRECTORY=folder) as proxy:
        same(status(proxy, "PUT", body=b"x" * (4 << 20)), 200)
        for _ in range(3):
            got, _, body = ask(proxy, "PUT", body=b"x" * (20 << 20))
            assert got in (503, 507), (got, body)
        same(status(proxy, "PUT", body=b"x" * (4 << 20)), 200)


@case("a body above the limit is refused before it is read, and while it is read")
def too_long(setting, verifier):
    with setting.proxy(verifier, MLFLOW_PROXY_MAX_BODY=str(1 << 20)) as proxy:
        before = verifier.count("PUT /__echo")
        body = b"x" * (3 << 20)
        # A body without a length goes out in chunks.
        for sent in (body, (body[start : start + 65536] for start in range(0, len(body), 65536))):
            try:
                same(status(proxy, "PUT", body=sent), 413)
            except (BrokenPipeError, ConnectionResetError):
                # Refused while it was still being sent.
                pass
        same(verifier.count("PUT /__echo"), before)
        same(status(proxy, "PUT", body=b"x" * 1000), 200)

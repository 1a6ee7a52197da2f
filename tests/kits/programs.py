"""The files of all variants, judged by the programs that read them: nginx, make, the shell and its linter."""

import py_compile
import shutil
import subprocess

from web import Nginx

VARIANTS = {
    "store": (),
    "store-direct": ("--uploads", "direct", "--tls", "files", "--listen", "0.0.0.0", "--port", "443", "--host", "mlops.example.com"),
    "local": ("--artifacts", "local", "--prefix", ""),
    "local-tls": ("--artifacts", "local", "--tls", "files", "--prefix", "/team/mlflow"),
    "s3": ("--artifacts", "s3", "--artifact-location", "s3://bucket/prefix", "--uploads", "direct"),
    "azure": (
        "--artifacts", "azure", "--artifact-location", "wasbs://container@account.blob.core.windows.net/path",
        "--database", "external", "--database-host", "db.example.com",
    ),
}  # fmt: skip


def run(setting, checks):
    shellcheck = shutil.which("shellcheck")
    for name, flags in VARIANTS.items():
        kit, _ = setting.kit("compose", f"variant-{name}", *flags)
        for secret, source in (("tls_chain.pem", "chain"), ("tls_key.pem", "key")):
            if (kit / "secrets" / secret).exists():
                (kit / "secrets" / secret).write_bytes(getattr(setting.certificates, source).read_bytes())
        nginx = Nginx(setting, f"nginx-variant-{name}", kit, "http://127.0.0.1:1", "http://127.0.0.1:2")
        checks.equal(f"{name}: nginx takes its configuration", nginx.test(), "")
        for target in ("all", "build", "run", "stop", "logs", "status", "upgrade", "user", "remove"):
            done = subprocess.run(["make", "--dry-run", target], cwd=kit, capture_output=True, text=True, timeout=30)
            checks.that(f"{name}: make {target}", done.returncode == 0, done.stderr)
        done = subprocess.run(["sh", "-n", "serve"], cwd=kit, capture_output=True, text=True, timeout=30)
        checks.equal(f"{name}: the shell reads serve", done.stderr, "")
        if shellcheck:
            done = subprocess.run([shellcheck, "serve"], cwd=kit, capture_output=True, text=True, timeout=60)
            checks.equal(f"{name}: shellcheck", done.stdout, "")
    kit, _ = setting.kit("heroku", "variant-heroku")
    for file in (kit / "run.py", setting.folder / "variant-store/bucket.py"):
        py_compile.compile(str(file), cfile=str(setting.folder / "compiled.pyc"), doraise=True)
        checks.that(f"{file.name} compiles", True)
    if not shellcheck:
        checks.note("shellcheck is not there: serve was not judged by it")

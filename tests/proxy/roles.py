"""Users with tokens and passwords: what each role can do with the real client, and that nothing of them is logged."""

import base64
import hashlib
import json
import os
import secrets

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id


def token(name, role, expires=None):
    """A new token and its entry of the users' secret."""
    identifier = secrets.token_hex(4)
    text = f"fwp_{identifier}_{base64.urlsafe_b64encode(os.urandom(32)).rstrip(b'=').decode()}"
    entry = {"name": name, "role": role, "kind": "token", "id": identifier}
    entry |= {"sha256": hashlib.sha256(text.encode()).hexdigest(), "created": "2026-01-01T00:00:00Z"}
    return text, entry | ({"expires": expires} if expires else {})


def password(name, role):
    """A new password and its entry of the users' secret."""
    text = secrets.token_urlsafe(12) + " ü:"
    hashed = Argon2id(salt=os.urandom(16), length=32, iterations=2, lanes=1, memory_cost=19456)
    entry = {"name": name, "role": role, "kind": "password", "argon2": hashed.derive_phc_encoded(text.encode())}
    return text, entry | {"created": "2026-01-01T00:00:00Z"}


def secret(*entries):
    return json.dumps({"version": 1, "users": list(entries)})


def run(setting):
    verifier = setting.upstream("newest")
    tokens, entries = {}, []
    for role in ("reader", "writer", "admin"):
        tokens[role], entry = token(f"the-{role}", role)
        entries.append(entry)
    tokens["expired"], entry = token("late", "admin", "2026-01-02T00:00:00Z")
    entries.append(entry)
    phrase, entry = password("the-person", "reader")
    entries.append(entry)
    verifier.set(reset=True, secret=secret(*entries))
    with setting.proxy(verifier, MLFLOW_PROXY_AUTH="token,basic", MLFLOW_PROXY_SECRET_ARN=setting.secret) as proxy:
        proxy.until_ready()
        suites = ["writer", "reader", "admin"]
        plan = [{"label": it, "suite": it, "url": proxy.url, "token": tokens[it]} for it in suites]
        plan.append({"label": "nobody", "suite": "nobody", "url": proxy.url, "token": token("x", "admin")[0]})
        plan.append({"label": "expired", "suite": "nobody", "url": proxy.url, "token": tokens["expired"]})
        shared = {"user": "the-person", "password": phrase}
        plan.append({"label": "person", "suite": "password", "url": proxy.url, "shared": shared})
        outcomes = setting.client("newest", plan)
        log = proxy.log.read_text()
    verifier.set(secret=None)
    found = [it for label in outcomes for it in outcomes[label]]
    idle = [label for label in outcomes if not outcomes[label]]
    found.append({"name": "everybody has asked something", "outcome": "failed" if idle else "ok", "words": str(idle)})
    leaked = [name for name, text in tokens.items() if text.split("_", 2)[2] in log]
    audited = sum("audit" in line and "the-writer" in line for line in log.splitlines())
    leaked += ["the password"] if phrase in log or base64.b64encode(f"the-person:{phrase}".encode()).decode() in log else []
    found.append({"name": "no token and no password is in the log", "outcome": "failed" if leaked else "ok", "words": str(leaked)})
    words = "" if audited >= 4 else f"{audited} lines of the writer"
    found.append({"name": "what the writer changed is in the log", "outcome": "failed" if words else "ok", "words": words})
    return found

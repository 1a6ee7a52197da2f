"""Users that change while the proxy serves."""

import time

from faults.case import SEARCH, case, same, status, until
from roles import secret, token


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


def users_proxy(setting, verifier, **more):
    settings = {"MLFLOW_PROXY_AUTH": "token", "MLFLOW_PROXY_SECRET_SECONDS": "1"} | more
    return setting.proxy(verifier, MLFLOW_PROXY_SECRET_ARN=setting.secret, **settings)


@case("the secret is filled, rotated, broken and emptied while the proxy serves")
def rotated(setting, verifier):
    first, first_entry = token("first", "admin")
    second, second_entry = token("second", "admin")
    verifier.set(secret=None)
    with users_proxy(setting, verifier) as proxy:

        def asked(text):
            return status(proxy, target=SEARCH, headers=bearer(text))

        same((asked(first), status(proxy, target=SEARCH)), (401, 401))
        verifier.set(secret=secret(first_entry))
        until(lambda: asked(first) == 200)
        verifier.set(secret=secret(first_entry, second_entry))
        until(lambda: asked(second) == 200)
        verifier.set(secret=secret(second_entry))
        until(lambda: asked(first) == 401)
        for broken in ("no json", '{"version":1}', '{"version":99,"users":[]}'):
            verifier.set(secret=broken)
            time.sleep(1.5)
            same((broken, asked(second)), (broken, 200))
        verifier.set(secret=secret())
        until(lambda: asked(second) == 401)
    verifier.set(secret=None)


@case("a flood of wrong tokens asks Secrets Manager seldom, and others get in")
def flood(setting, verifier):
    good, entry = token("good", "reader")
    verifier.set(secret=secret(entry))
    with users_proxy(setting, verifier, MLFLOW_PROXY_SECRET_SECONDS="30") as proxy:
        until(lambda: status(proxy, target=SEARCH, headers=bearer(good)) == 200)
        before = verifier.count("secretsmanager.GetSecretValue")
        answers = {status(proxy, target=SEARCH, headers=bearer(token("x", "admin")[0])) for _ in range(200)}
        assert answers <= {401, 429}, answers
        same(status(proxy, target=SEARCH, headers=bearer(good)), 200)
        assert verifier.count("secretsmanager.GetSecretValue") - before < 20
    verifier.set(secret=None)

"""The verifying servers as one program: it prints its ports as a line of JSON and ends with its standard input.

Arguments: the URLs of MLflow and of the emulator of S3, and a certificate with its key for the server `secure`, which
is `tracking` with TLS. The server `control` takes no signature: GET gives
counts and refusals, POST changes settings (verify/state.py).
"""

import asyncio
import json
import ssl
import sys
import time
from email.utils import formatdate
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web  # noqa: E402

from verify import services, storage, upstream  # noqa: E402
from verify.state import ARNS, State  # noqa: E402

# Above the limits of the proxy, so that its limits are seen.
LONGEST_LINE = 1 << 20


def control(state):
    async def handle(request):
        if request.method == "POST":
            state.change(await request.json())
        return web.json_response(state.shown())

    return handle


def tell_time(state):
    """Lets answers carry the time of a clock that is ahead."""

    async def prepare(request, answer):
        if state.settings["skew"]:
            answer.headers["Date"] = formatdate(time.time() + state.settings["skew"], usegmt=True)

    return prepare


async def serve(name, handler, state, context=None):
    application = web.Application(client_max_size=1 << 40)
    application.router.add_route("*", "/{path:.*}", handler)
    if name in ARNS:
        application.on_response_prepare.append(tell_time(state))
    runner = web.AppRunner(
        application, access_log=None, auto_decompress=False, keepalive_timeout=120,
        max_line_size=LONGEST_LINE, max_field_size=LONGEST_LINE,
    )  # fmt: skip
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096, ssl_context=context)
    await site.start()
    return runner.addresses[0][1]


async def main(mlflow, emulator, chain, key):
    state = State()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    connector = TCPConnector(limit=0)
    timeout = ClientTimeout(total=None)
    async with ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as client:
        handlers = {
            "tracking": upstream.handler("tracking", state, client, mlflow),
            "app": upstream.handler("app", state, client, mlflow),
            "storage": storage.handler(state, client, emulator),
            "sts": services.sts(state),
            "services": services.json_services(state),
            "control": control(state),
        }
        ports = {name: await serve(name, handler, state) for name, handler in handlers.items()}
        ports["secure"] = await serve("tracking", handlers["tracking"], state, context)
        print(json.dumps(ports), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

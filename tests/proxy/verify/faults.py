"""What a server does when a test wants it to do wrong."""

import asyncio

from aiohttp import web

# Long enough that whoever waits gives up first.
FOREVER = 3600


async def meet(fault, request):
    """Gives the wrong answer, or nothing when the fault was only a delay."""
    await asyncio.sleep(fault.get("delay", 0))
    kind = fault.get("kind", "delay")
    if kind == "status":
        headers = {"Content-Type": "application/json"} | fault.get("headers", {})
        return web.Response(status=fault["status"], headers=headers, body=fault.get("body", "{}").encode())
    if kind == "hang":
        await asyncio.sleep(FOREVER)
    if kind == "reset":
        request.transport.abort()
        raise asyncio.CancelledError
    if kind == "garbage":
        request.transport.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        request.transport.close()
        raise asyncio.CancelledError
    if kind in ("cut", "stall"):
        answer = web.StreamResponse(headers={"Content-Length": "1000000"})
        await answer.prepare(request)
        await answer.write(b"x" * 1000)
        if kind == "stall":
            await asyncio.sleep(FOREVER)
        request.transport.abort()
        raise asyncio.CancelledError
    return None

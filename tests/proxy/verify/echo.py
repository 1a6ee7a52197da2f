"""Answers that show what arrived, and answers of every form that a proxy has to pass on."""

import asyncio
import gzip

from aiohttp import web


async def answer(received, state):
    """The answer to a path below /__, which MLflow does not have."""
    request = received.request
    path = received.signed.target.partition("?")[0]
    kind = path.removeprefix("/__").partition("/")[0]
    if kind == "echo":
        headers = [[name, value.decode("latin-1")] for name, value in received.signed.headers]
        shown = {"method": request.method, "raw": received.signed.target, "headers": headers}
        return web.json_response(shown | {"len": received.length, "sha": received.signed.body_sha256})
    if kind == "cookies":
        answer = web.Response(text="x")
        answer.headers.add("Set-Cookie", "a=1; Path=/")
        answer.headers.add("Set-Cookie", "b=2; Path=/")
        return answer
    if kind == "redirect":
        return web.Response(status=302, headers={"Location": "/target%20x?y=1"})
    if kind == "redirect-here":
        return web.Response(status=307, headers={"Location": f"http://{request.host}/api/2.0/mlflow/x?y=1"})
    if kind == "gzip":
        body = gzip.compress(b"hello " * 1000, mtime=0)
        return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"})
    if kind == "events":
        return await events(request)
    if kind == "bytes":
        return await many_bytes(request, state)
    return web.Response(status=404, text="no such path of the verifying upstream")


async def events(request):
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await stream.prepare(request)
    for number in range(5):
        await stream.write(f"data: {number}\n\n".encode())
        await asyncio.sleep(0.3)
    await stream.write_eof()
    return stream


async def many_bytes(request, state):
    """As many bytes as asked for, as fast as they are taken, with a length if `length` is asked for."""
    count = int(request.query["count"])
    headers = {"Content-Length": str(count)} if "length" in request.query else {}
    stream = web.StreamResponse(headers=headers)
    await stream.prepare(request)
    piece = bytes(1 << 16)
    state.streams += 1
    try:
        while count > 0:
            await stream.write(piece[:count])
            count -= len(piece)
        await stream.write_eof()
    finally:
        state.streams -= 1
    return stream

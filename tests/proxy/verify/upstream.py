"""Plays SageMaker's managed MLflow: a request with a good signature goes to a real MLflow, any other is refused."""

from aiohttp import web
from yarl import URL

from verify import echo, faults
from verify.received import Received
from verify.signature import HOP_BY_HOP, Endpoint, Refused
from verify.state import ARNS, ROUTING, SERVICES

# What belongs to the signature and to this hop, and is not for MLflow.
OF_SIGNATURE = {"host", "authorization", "content-length", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"}
OF_SIGNATURE |= set(ROUTING.values())
KEPT_AS_SENT = ("Accept-Encoding", "User-Agent", "Content-Type", "Accept")


def endpoint(mode):
    foreign = frozenset(name for kind, name in ROUTING.items() if kind != mode)
    return Endpoint(SERVICES[mode], routing=(ROUTING[mode], ARNS[mode]), foreign=foreign)


def handler(mode, state, client, mlflow):
    wanted = endpoint(mode)

    async def handle(request):
        with await Received.read(request) as received:
            try:
                received.verify(wanted, state, "assumed", state.settings["skew"])
            except Refused as refused:
                state.refuse(received.signed, refused)
                headers = {"x-amzn-errortype": refused.code}
                return web.json_response({"message": refused.message}, status=403, headers=headers)
            state.counts[mode] += 1
            state.counts[f"{request.method} {request.path}"] += 1
            fault = state.fault("mlflow")
            if fault and (answer := await faults.meet(fault, request)):
                return answer
            if received.signed.target.startswith("/__"):
                return await echo.answer(received, state)
            return await passed_on(received, client, mlflow)

    return handle


async def passed_on(received, client, server, dropped=OF_SIGNATURE, more=()):
    """Another server's answer to the request, passed byte by byte."""
    request = received.request
    headers = [*received.passed_headers(dropped), *more]
    body = {}
    if received.length:
        body["data"] = received.pieces()
    if received.length or request.method in ("POST", "PUT", "PATCH"):
        headers.append(("Content-Length", str(received.length)))
    url = URL(server + request.raw_path, encoded=True)
    asked = client.request(
        request.method, url, headers=headers, allow_redirects=False, skip_auto_headers=KEPT_AS_SENT, **body
    )
    async with asked as upstream:
        answer = web.StreamResponse(status=upstream.status, reason=upstream.reason)
        for name, value in upstream.headers.items():
            if name.lower() not in HOP_BY_HOP:
                answer.headers.add(name, value)
        await answer.prepare(request)
        if request.method != "HEAD":
            async for piece in upstream.content.iter_any():
                await answer.write(piece)
        await answer.write_eof()
        return answer

"""Plays S3: requests with a good signature of MLflow's role go to an emulator of S3, as requests of the bucket's account."""

from xml.sax.saxutils import escape

from aiohttp import web

from verify import faults
from verify.received import Received
from verify.signature import Endpoint, Refused
from verify.state import ACCOUNT, REGION
from verify.upstream import passed_on

ENDPOINT = Endpoint("s3", is_storage=True)
OF_SIGNATURE = {"authorization", "content-length", "x-amz-security-token", "x-amz-date"}
# S3 has names of its own for what the other services call otherwise.
CODES = {
    "ExpiredTokenException": (400, "ExpiredToken"),
    "UnrecognizedClientException": (403, "InvalidAccessKeyId"),
    "MissingAuthenticationTokenException": (403, "AccessDenied"),
}
# The emulator takes the account from the access key and does not look at the signature.
SIGNED = f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20200101/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=0"


def refusal(status, code, message):
    text = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    return web.Response(status=status, content_type="application/xml", text=text)


def handler(state, client, emulator):
    async def handle(request):
        with await Received.read(request) as received:
            try:
                received.verify(ENDPOINT, state, "assumed")
            except Refused as refused:
                state.refuse(received.signed, refused)
                status, code = CODES.get(refused.code, (403, refused.code))
                return refusal(status, code, refused.message)
            state.counts["storage"] += 1
            state.counts[f"storage {request.method}"] += 1
            fault = state.fault("storage")
            if fault and (answer := await faults.meet(fault, request)):
                return answer
            more = [("authorization", SIGNED)]
            return await passed_on(received, client, emulator, OF_SIGNATURE, more)

    return handle

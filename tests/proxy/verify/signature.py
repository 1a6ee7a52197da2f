"""The server's side of Signature Version 4: a request is judged from its bytes on the wire, as strictly as AWS may be.

Each signature is computed twice: here, by the rules that AWS publishes for servers, and by botocore, AWS's own library.
A refusal by either is a refusal.
"""

import datetime
import hashlib
import hmac
import re
import time
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    "upgrade".split()
)
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})$"
)
UNSIGNED = "UNSIGNED-PAYLOAD"
MOST_SKEW = 300


class Refused(Exception):
    """A request that AWS would not take: its error code and what is wrong."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


@dataclass(frozen=True)
class Session:
    """Credentials that somebody was given."""

    secret: str
    token: str | None = None
    expires: float | None = None


@dataclass(frozen=True)
class Endpoint:
    """What an endpoint asks of every request."""

    service: str
    region: str = "us-east-1"
    # The routing header and the ARN that it has to carry, and the headers of other kinds of resources.
    routing: tuple[str, str] | None = None
    foreign: frozenset = frozenset()
    # S3 takes the path as it was sent and a body without a hash.
    is_storage: bool = False


@dataclass
class Signed:
    """The parts of a request that are signed, as the wire has them."""

    method: str
    target: str
    headers: list  # of (lower-case name, bytes)
    body_sha256: str
    names: list = field(default_factory=list)

    def values(self, name):
        return [value for known, value in self.headers if known == name]

    def one(self, name):
        values = self.values(name)
        if len(values) > 1:
            raise Refused("InvalidSignatureException", f"the header {name} comes {len(values)} times")
        return values[0].decode("latin-1") if values else None


def encoded(data, safe=b""):
    return "".join(chr(byte) if byte in UNRESERVED or byte in safe else f"%{byte:02X}" for byte in data)


def normalized(path):
    """Dot segments and empty segments resolved, as every service but S3 does."""
    kept = []
    for segment in path.split("/"):
        if segment == "..":
            kept[-1:] = []
        elif segment not in ("", "."):
            kept.append(segment)
    end = "/" if path.endswith("/") and kept else ""
    return "/" + "/".join(kept) + end


def canonical_query(query):
    pairs = []
    for pair in query.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            pairs.append(tuple(encoded(unquote_to_bytes(part.replace("+", " "))) for part in (name, value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def canonical_request(request, payload, is_storage):
    path, _, query = request.target.partition("?")
    if is_storage:
        path = encoded(unquote_to_bytes(path), safe=b"/")
    else:
        path = encoded(normalized(path).encode("latin-1"), safe=b"/")
    lines = [request.method.encode(), path.encode(), canonical_query(query).encode()]
    for name in request.names:
        values = b",".join(b" ".join(value.split()) for value in request.values(name))
        lines.append(name.encode() + b":" + values)
    return b"\n".join([*lines, b"", ";".join(request.names).encode(), payload.encode()])


def signature(secret, scope, when, canonical):
    key = ("AWS4" + secret).encode()
    for part in scope:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = "\n".join(["AWS4-HMAC-SHA256", when, "/".join(scope), hashlib.sha256(canonical).hexdigest()])
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def botocore_signature(request, session, key, scope, when, payload, is_storage):
    """The signature that AWS's library gives the same request, or nothing where it cannot take it (bytes not UTF-8)."""

    class Exactly(S3SigV4Auth if is_storage else SigV4Auth):
        def headers_to_sign(self, request):
            return request.headers

        def payload(self, request):
            return payload

    path, _, query = request.target.partition("?")
    host = request.one("host") or ""
    try:
        url = f"http://{host}{path}"
        query = canonical_query(query)
        signed = AWSRequest(request.method, url + (f"?{query}" if query else ""))
        for name in request.names:
            signed.headers[name] = ",".join(value.decode("ascii") for value in request.values(name))
    except UnicodeDecodeError:
        return None
    signed.context["timestamp"] = when
    _, region, service, _ = scope
    signer = Exactly(Credentials(key, session.secret, session.token), service, region)
    return signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed)


def check_time(when, now, is_storage):
    try:
        signed_at = datetime.datetime.strptime(when or "", "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        raise Refused("IncompleteSignature", f"x-amz-date is {when!r}") from None
    away = signed_at.timestamp() - now
    if abs(away) <= MOST_SKEW:
        return
    if is_storage:
        raise Refused("RequestTimeTooSkewed", "the difference between the request time and the server's time is too large")
    shown = datetime.datetime.fromtimestamp(now, datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    if away < 0:
        raise Refused("InvalidSignatureException", f"Signature expired: {when} is now earlier than {shown} - 5 min.")
    raise Refused("InvalidSignatureException", f"Signature not yet current: {when} is still later than {shown} + 5 min.")


def find_session(request, key, sessions):
    session = sessions.get(key)
    if session is None:
        raise Refused("UnrecognizedClientException", "The security token included in the request is invalid")
    token = request.one("x-amz-security-token")
    if session.expires is not None and time.time() > session.expires:
        raise Refused("ExpiredTokenException", "The security token included in the request is expired")
    if token != session.token or (token is not None and "x-amz-security-token" not in request.names):
        raise Refused("UnrecognizedClientException", "the session token is another one, or is not signed")
    return session


def check_headers(request, endpoint):
    if request.names != sorted(set(request.names)) or not {"host", "x-amz-date"} <= set(request.names):
        raise Refused("IncompleteSignature", f"signed headers are {request.names}")
    for name in request.names:
        if name in HOP_BY_HOP:
            raise Refused("SignatureDoesNotMatch", f"the hop-by-hop header {name} is signed; it is gone before the check")
        if not request.values(name):
            raise Refused("SignatureDoesNotMatch", f"the signed header {name} is not there")
    if endpoint.routing:
        name, arn = endpoint.routing
        if request.values(name) != [arn.encode()] or name not in request.names:
            raise Refused("AccessDeniedException", f"{name} is {request.values(name)}, which is not one signed {arn}")
    for name in endpoint.foreign:
        if request.values(name):
            raise Refused("AccessDeniedException", f"{name} belongs to another kind of resource")


def payload_of(request, endpoint):
    said = request.one("x-amz-content-sha256")
    if said == UNSIGNED and endpoint.is_storage:
        return said
    if said is not None and said != request.body_sha256:
        raise Refused("XAmzContentSHA256Mismatch", f"x-amz-content-sha256 is {said}, the body's is {request.body_sha256}")
    return request.body_sha256


def verify(request, endpoint, sessions, skew=0):
    """Gives the access key that signed the request, or raises what is wrong with it.

    `skew` is how many seconds this server's clock is ahead.
    """
    text = request.one("authorization")
    if text is None:
        raise Refused("MissingAuthenticationTokenException", "there is no Authorization header")
    match = AUTHORIZATION.match(text)
    if not match:
        raise Refused("IncompleteSignature", f"Authorization begins with {text.partition(' ')[0]!r}")
    request.names = match["headers"].split(";")
    if (match["region"], match["service"]) != (endpoint.region, endpoint.service):
        raise Refused("InvalidSignatureException", f"the scope is {match['region']}/{match['service']}")
    when = request.one("x-amz-date")
    check_time(when, time.time() + skew, endpoint.is_storage)
    if not when.startswith(match["date"]):
        raise Refused("InvalidSignatureException", f"the scope's date {match['date']} is not that of {when}")
    check_headers(request, endpoint)
    session = find_session(request, match["key"], sessions)
    payload = payload_of(request, endpoint)
    scope = (match["date"], match["region"], match["service"], "aws4_request")
    canonical = canonical_request(request, payload, endpoint.is_storage)
    if not hmac.compare_digest(signature(session.secret, scope, when, canonical), match["signature"]):
        raise Refused("SignatureDoesNotMatch", "expected the signature of\n" + canonical.decode("latin-1"))
    second = botocore_signature(request, session, match["key"], scope, when, payload, endpoint.is_storage)
    if second is not None and second != match["signature"]:
        raise Refused("SignatureDoesNotMatch", "botocore has another signature than\n" + canonical.decode("latin-1"))
    return match["key"]

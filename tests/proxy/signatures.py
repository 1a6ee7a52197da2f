"""Signs requests as AWS's own clients do: the judge of the proxy's signatures.

Reads a JSON list of requests on stdin and writes what each becomes: its URL and the headers that signing set. The plugin
`sagemaker-mlflow` signs where one of its clients could send the request; botocore where the plugin cannot (a repeated
header) or is not meant (S3, links). Time stands still.
"""

import base64
import datetime
import functools
import json
import sys
import urllib.parse

import boto3
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict
from sagemaker_mlflow.auth import AuthBoto

SET = ["Authorization", "X-Amz-Date", "X-Amz-Content-SHA256", "X-Amz-Security-Token"]


class UnsignedPayload(botocore.auth.S3SigV4Auth):
    """S3 over TLS without a hash of the body, as botocore does it for streams."""

    def _should_sha256_sign_payload(self, request):
        return False


def freeze(second):
    """Lets botocore believe that it is this second."""
    moment = datetime.datetime.fromtimestamp(second, datetime.timezone.utc).replace(tzinfo=None)
    botocore.auth.get_current_datetime = lambda *_, **__: moment


def recode(text, safe=""):
    """A text as it stands in canonical forms; what is no encoding stands for itself."""
    return urllib.parse.quote_from_bytes(urllib.parse.unquote_to_bytes(text), safe=safe)


def canonical_query(query):
    """The pairs in their canonical encoding and in their order: botocore signs a query as it is given."""
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    return "&".join(f"{recode(name)}={recode(value)}" for name, _, value in pairs)


def canonical_url(url, once):
    """The URL from which botocore signs what a service computes from the given one."""
    parts = urllib.parse.urlsplit(url)
    path = parts.path
    if once:
        # An encoded slash is part of a name; those between names are not encoded.
        path = "/".join("%2F".join(recode(part) for part in name.replace("%2f", "%2F").split("%2F"))
                        for name in path.split("/"))
    query = canonical_query(parts.query.replace("+", "%20"))
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc, path, query, ""))


@functools.cache
def signer(region, service, access_key, secret, token):
    """The plugin's signer; its sessions take long to make."""
    return AuthBoto(region, service, boto3_session=boto3.Session(access_key, secret, token))


def plugin(case, body):
    """The request as the plugin sends it. It changes plus signs itself, so it gets the query as the client wrote it."""
    request = PreparedRequest()
    request.method, request.url, request.body = case["method"], case["url"], body
    request.headers = CaseInsensitiveDict(case["headers"])
    request.headers["Connection"] = "keep-alive"
    return signer(case["region"], case["service"], case["access_key"], case["secret"], case["token"])(request)


def botocores(case, body):
    """The request as botocore signs it, in the way that the case names."""
    credentials = Credentials(case["access_key"], case["secret"], case["token"])
    way = {
        "sigv4": botocore.auth.SigV4Auth,
        "s3": botocore.auth.S3SigV4Auth,
        "s3-unsigned": UnsignedPayload,
        "link": botocore.auth.SigV4QueryAuth,
        "s3-link": botocore.auth.S3SigV4QueryAuth,
    }[case["way"]]
    url = canonical_url(case["url"], once=case["way"].startswith("s3"))
    request = AWSRequest(method=case["method"], url=url, data=body)
    for name, value in case["headers"]:
        request.headers.add_header(name, value)
    settings = {"expires": case["expires"]} if case["way"].endswith("link") else {}
    if case["way"] == "sigv4":
        request.headers["X-Amz-Content-SHA256"] = AuthBoto.get_request_body_header(None, body)
    way(credentials, case["service"], case["region"], **settings).add_auth(request)
    return request


def answer(case):
    """What the request becomes."""
    freeze(case["second"])
    body = base64.b64decode(case["body"])
    signed = plugin(case, body) if case["way"] == "plugin" else botocores(case, body)
    headers = {name.lower(): signed.headers[name] for name in SET if name in signed.headers}
    return {"url": signed.url, "headers": headers}


json.dump([answer(case) for case in json.load(sys.stdin)], sys.stdout)

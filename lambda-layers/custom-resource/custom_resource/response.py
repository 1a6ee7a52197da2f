"""The answer to CloudFormation: a small JSON document, PUT to a presigned URL.

The URL is a credential: it appears in no log line, and the errors of the HTTP library are reported by their kind
only, because their texts may quote it.
"""

import json
import logging
import urllib.error
import urllib.request

from .clock import delays

log = logging.getLogger(__name__)

# CloudFormation refuses a longer answer, and then the stack waits for an hour.
BYTES_AT_MOST = 4096
ATTEMPTS = 5
ATTEMPT_SECONDS = 10


class NotDelivered(Exception):
    """Nobody took the answer. Raised out of the function, so that Lambda delivers the event again."""


class _PutRedirects(urllib.request.HTTPRedirectHandler):
    """S3 redirects a PUT with 307 while a bucket is young; the library follows only GET and HEAD."""

    def redirect_request(self, request, fp, code, message, headers, url):
        if code not in (307, 308):
            return None
        return urllib.request.Request(url, data=request.data, headers=dict(request.headers), method="PUT")


def body(request, status, physical_id, reason="", data=None):
    """The document, cut at the reason if it would be too long."""
    document = {
        "Status": status,
        "Reason": reason[:BYTES_AT_MOST],
        "PhysicalResourceId": physical_id,
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_id,
        "NoEcho": False,
        "Data": data or {},
    }
    encoded = _encode(document)
    while len(encoded) > BYTES_AT_MOST and document["Reason"]:
        # A character takes one byte to twelve, so the cut approaches the limit instead of jumping over it.
        keep = len(document["Reason"]) - (len(encoded) - BYTES_AT_MOST) // 12 - 1
        document["Reason"] = document["Reason"][: max(keep, 0)]
        encoded = _encode(document | {"Reason": document["Reason"] + "…"})
    return encoded


def _encode(document):
    return json.dumps(document).encode()


def deliver(request, encoded, clock, deadline):
    """PUT the answer, again after a failure while there is time."""
    opener = urllib.request.build_opener(_PutRedirects)
    for attempt, delay in zip(range(1, ATTEMPTS + 1), delays(1, 2, 8)):
        # With an empty Content-Type, because the URL was signed for one.
        put = urllib.request.Request(
            request.response_url, data=encoded, headers={"Content-Type": ""}, method="PUT"
        )
        try:
            with opener.open(put, timeout=min(ATTEMPT_SECONDS, max(deadline.remaining() - 1, 1))):
                return
        except urllib.error.HTTPError as error:
            failure = f"HTTP status {error.code}"
            error.close()
        except OSError as error:
            failure = type(getattr(error, "reason", error)).__name__
        log.warning("answer %s of %s was not taken: %s", attempt, ATTEMPTS, failure)
        if attempt < ATTEMPTS and deadline.remaining() > delay + 2:
            clock.sleep(delay)
        elif attempt < ATTEMPTS:
            break
    raise NotDelivered(f"CloudFormation did not take the answer to {request}: {failure}")

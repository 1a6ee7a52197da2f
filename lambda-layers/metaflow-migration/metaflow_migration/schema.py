"""The tables, as the server that comes with the image sees and migrates them.

Whoever runs the same migration twice finds it done; two at once are what the server cannot do, so this waits for one
that is under way and never begins a second.
"""

import http.client
import json
import logging
import urllib.error
import urllib.request
from dataclasses import dataclass

from custom_resource.clock import ANSWER_SECONDS, CALL_SECONDS, delays
from custom_resource.errors import ResourceError

log = logging.getLogger(__name__)

# A load balancer forgets a connection that is silent for 350 seconds, and the server is silent while it migrates.
LONGEST_CALL_SECONDS = 300
PATIENCE_SECONDS = 60
# Less than a caller waits for an answer to begin.
PROMPT_SECONDS = 8


class NoAnswer(Exception):
    """The server cannot be reached, or took too long."""


@dataclass(frozen=True)
class Status:
    """How the tables are."""

    version: str
    known: tuple
    unapplied: tuple

    @property
    def is_newer(self):
        """Whether a newer image migrated them before: tables are not taken back, and older code goes on with them."""
        return self.version not in self.known and all(_number(self.version) > _number(it) for it in self.known)

    @property
    def is_up_to_date(self):
        return self.is_newer or not self.unapplied

    def attributes(self):
        """What Fn::GetAtt gives."""
        words = "newer than the image" if self.is_newer else "up to date" if self.is_up_to_date else "behind"
        return {"SchemaVersion": self.version, "Status": words}

    def report(self):
        """What a caller gets who is not CloudFormation."""
        missing = [] if self.is_newer else list(self.unapplied)
        return {
            "is_up_to_date": self.is_up_to_date,
            "current_version": self.version,
            "unapplied_migrations": missing,
        } | self.attributes()


def _number(version):
    return int(version) if version.isdigit() else 0


class Schema:
    """The server on its port."""

    def __init__(self, url, clock, deadline):
        self._url = url.rstrip("/")
        self._clock = clock
        self._deadline = deadline

    def wait_for_server(self):
        """Wait until the server answers: a task may just have started, or be about to be replaced."""
        self._deadline.doing = "waiting for the metadata service"
        for delay in delays(2, 2, 10):
            self._deadline.check()
            try:
                self._call("GET", "/ping", CALL_SECONDS)
                return
            except (NoAnswer, ResourceError) as error:
                log.info("the metadata service does not answer yet: %s", error)
            self._deadline.sleep(delay)

    def status(self):
        """How the tables are, asked until there is an answer."""
        started = self._clock.now()
        for delay in delays(2, 2, 10):
            self._deadline.check()
            try:
                return _status(json.loads(self._call("GET", "/db_schema_status", CALL_SECONDS)))
            except NoAnswer as error:
                log.info("no word of the tables yet: %s", error)
            except ResourceError as error:
                # The database may be on its way from one zone to another.
                if self._clock.now() - started > PATIENCE_SECONDS:
                    raise
                log.info("no word of the tables yet: %s", error)
            self._deadline.sleep(delay)
        raise AssertionError("delays never end")

    def status_now(self):
        """How the tables are, asked once: whoever waits for the answer asks again."""
        try:
            return _status(json.loads(self._call("GET", "/db_schema_status", PROMPT_SECONDS)))
        except NoAnswer as error:
            raise ResourceError(
                f"the metadata service does not answer: {error}\nhint: it is silent while it migrates; ask again"
            ) from None

    def migrate(self):
        """Apply what is missing and give how the tables are then."""
        self._deadline.doing = "asking how the tables are"
        before = self.status()
        if before.is_up_to_date:
            log.info("the tables are at %s: %s", before.version, before.attributes()["Status"])
            return before
        log.info("the tables are at %s, missing %s", before.version, ", ".join(before.unapplied))
        self._deadline.doing = f"migrating the tables from {before.version} to {before.unapplied[-1]}"
        self._deadline.check()
        try:
            seconds = self._deadline.remaining() - ANSWER_SECONDS - CALL_SECONDS
            self._call("PATCH", "/upgrade", max(min(seconds, LONGEST_CALL_SECONDS), 1))
        except NoAnswer as error:
            # The server goes on by itself, and answers nothing else until it is done.
            log.info("the migration takes longer than a call: %s", error)
            return self._wait_for(before)
        after = self.status()
        if not after.is_up_to_date:
            raise ResourceError(
                f"the tables are at {after.version} after the migration, still missing {', '.join(after.unapplied)}\n"
                "hint: the log of the metadata service tells why"
            )
        return after

    def _wait_for(self, before):
        while True:
            status = self.status()
            if status.is_up_to_date:
                return status
            log.info("the tables are at %s, on the way from %s", status.version, before.version)
            self._deadline.sleep(10)

    def _call(self, method, path, seconds):
        request = urllib.request.Request(self._url + path, method=method)
        try:
            # No proxy of an environment stands between two things in one network.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=seconds) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                text = error.read(2000).decode(errors="replace")
            # The load balancer has no task to send the call to.
            if error.code in (502, 503, 504):
                raise NoAnswer(f"HTTP status {error.code}") from None
            raise ResourceError(
                f"the metadata service refused {method} {path} with HTTP status {error.code}: {text.strip()}\n"
                "hint: its log tells why; a backup of the database can be restored to the minute before"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"{method} {path}: {getattr(error, 'reason', None) or type(error).__name__}") from None


def _status(body):
    try:
        return Status(
            version=str(body["current_version"]).strip(),
            known=tuple(body["db_schema_versions"]),
            unapplied=tuple(body["unapplied_migrations"]),
        )
    except (KeyError, TypeError) as error:
        raise ResourceError(f"the metadata service told of its tables in a form that is not known: {body}") from error

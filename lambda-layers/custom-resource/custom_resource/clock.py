"""Time and the deadline, as objects, so that tests need not sleep."""

import time

from .errors import DeadlineNear

# CloudFormation waits up to an hour for an answer that never comes, so the answer goes out while there is time
# left to repeat it. One service call takes at most the client's connect and read timeouts together.
ANSWER_SECONDS = 30
CALL_SECONDS = 25


class Clock:
    """The real time."""

    def now(self):
        """Seconds since an arbitrary start, never going back."""
        return time.monotonic()

    def sleep(self, seconds):
        """Wait."""
        time.sleep(seconds)


class Deadline:
    """The end of the Lambda invocation, seen from the work that must stop before it. The hint says what to do then."""

    def __init__(self, context, clock, hint):
        self._context = context
        self._clock = clock
        self._hint = hint
        self.doing = "starting"

    def remaining(self):
        """Seconds until Lambda ends the function."""
        return self._context.get_remaining_time_in_millis() / 1000

    def check(self, ahead=0):
        """Refuse to begin what could not end in time, `ahead` seconds from now."""
        if self.remaining() - ahead < ANSWER_SECONDS + CALL_SECONDS:
            raise DeadlineNear(
                f"the time of the function is nearly over while {self.doing}\nhint: {self._hint}"
            )

    def sleep(self, seconds):
        """Wait, unless the wait would leave too little time for one more call and the answer."""
        self.check(ahead=seconds)
        self._clock.sleep(seconds)


def delays(first, step, longest):
    """Growing pauses without end: first, first + step, ... up to the longest."""
    delay = first
    while True:
        yield delay
        delay = min(delay + step, longest)

"""Time that passes only when somebody sleeps, and Lambda's context in it."""


class VirtualClock:
    """Sleeping moves the time, nothing else does."""

    def __init__(self):
        self.time, self.sleeps = 1000.0, []

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.sleeps.append(seconds)
        self.time += seconds


class Context:
    """Lambda's context for one invocation."""

    log_stream_name = "2026/01/01/[$LATEST]abc"

    def __init__(self, clock, seconds):
        self._clock, self._end = clock, clock.now() + seconds

    def get_remaining_time_in_millis(self):
        return int((self._end - self._clock.now()) * 1000)

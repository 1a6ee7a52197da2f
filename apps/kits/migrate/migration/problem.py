"""What ends a migration: a problem with its way out, told as one message."""

# The statuses of a process that ends with a problem.
FINDINGS = 1
REFUSED = 3
FAILED = 5
USAGE = 10


class Problem(Exception):
    """Something that the user has to decide or to mend."""

    def __init__(self, message, hint=None, status=FINDINGS):
        super().__init__(message)
        self.hint = hint
        self.status = status

    def __str__(self):
        text = super().__str__()
        return f"{text}\nhint: {self.hint}" if self.hint else text

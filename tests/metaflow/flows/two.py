"""Two steps: the second needs what the first has found."""

from metaflow import FlowSpec, step


class TwoFlow(FlowSpec):
    @step
    def start(self):
        self.found = 41
        self.next(self.end)

    @step
    def end(self):
        print("ANSWER", self.found + 1)


if __name__ == "__main__":
    TwoFlow()

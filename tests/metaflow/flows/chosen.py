"""Two steps, of which the second one chooses what it runs on."""

import os

from metaflow import FlowSpec, batch, step


class ChosenFlow(FlowSpec):
    @step
    def start(self):
        self.found = 41
        self.next(self.end)

    @batch(queue=os.environ.get("QUEUE", ""))
    @step
    def end(self):
        print("ANSWER", self.found + 1)


if __name__ == "__main__":
    ChosenFlow()

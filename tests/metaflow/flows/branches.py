"""Branches whose number is known only when the flow runs, on a schedule: what Step Functions needs a table and a rule for."""

from metaflow import FlowSpec, Parameter, schedule, step


@schedule(daily=True)
class BranchesFlow(FlowSpec):
    count = Parameter("count", default=2)

    @step
    def start(self):
        self.items = list(range(self.count))
        self.next(self.work, foreach="items")

    @step
    def work(self):
        self.square = self.input**2
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(it.square for it in inputs)
        self.next(self.end)

    @step
    def end(self):
        print("TOTAL", self.total)


if __name__ == "__main__":
    BranchesFlow()

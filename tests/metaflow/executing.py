"""A state machine of the client, executed to its end: branches, their table and jobs that wait for each other."""

import time

from checks import has, logged, same

LIMIT = 900


def a_state_machine_runs_its_branches_to_the_end(setting):
    states = setting.client("stepfunctions")
    (machine,) = states.list_state_machines()["stateMachines"]
    setting.flow("branches", "step-functions", "trigger", "--count", "2")
    end = time.monotonic() + LIMIT
    while True:
        (execution,) = states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
        if execution["status"] != "RUNNING":
            break
        if time.monotonic() > end:
            raise AssertionError(f"it runs for more than {LIMIT} s")
        time.sleep(2)
    same(execution["status"], "SUCCEEDED", "the execution")
    successful, total, printed = setting.python(logged("BranchesFlow", "total"))
    same((successful, total), (True, 1), "the run")
    has(printed, "TOTAL 1")
    calls = {(service, operation) for caller, service, operation in setting.aws.calls() if caller == "job"}
    for operation in ("PutItem", "UpdateItem", "GetItem"):
        assert ("dynamodb", operation) in calls, operation


SLOW_CHECKS = [a_state_machine_runs_its_branches_to_the_end]

"""What has to hold of the client with the deployed stack: each function is a check, and says by an exception what is wrong."""

import json
import stat
import sys

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def same(found, wanted, what=""):
    if found != wanted:
        raise AssertionError(f"{what} is {found!r}, not {wanted!r}")


def has(text, wanted):
    if wanted not in text:
        raise AssertionError(f"{wanted!r} is not in {text[-1500:]!r}")


@check
def the_outputs_are_the_configuration(setting):
    """Whoever reads outputs and whoever asks the command line is told the same."""
    outputs, told = setting.outputs, setting.told
    for output, name in (
        ("MetaflowDataStoreS3Url", "METAFLOW_DATASTORE_SYSROOT_S3"),
        ("MetaflowDataToolsS3Url", "METAFLOW_DATATOOLS_S3ROOT"),
        ("BatchJobQueueArn", "METAFLOW_BATCH_JOB_QUEUE"),
        ("ECSJobRoleForBatchJobs", "METAFLOW_ECS_S3_ACCESS_IAM_ROLE"),
        ("ECSFargateExecutionRole", "METAFLOW_ECS_FARGATE_EXECUTION_ROLE"),
        ("ServiceUrl", "METAFLOW_SERVICE_URL"),
        ("InternalServiceUrl", "METAFLOW_SERVICE_INTERNAL_URL"),
        ("StepFunctionsRoleArn", "METAFLOW_SFN_IAM_ROLE"),
        ("EventBridgeRoleArn", "METAFLOW_EVENTS_SFN_ACCESS_IAM_ROLE"),
        ("DDBTableName", "METAFLOW_SFN_DYNAMO_DB_TABLE"),
    ):
        same(told[name], outputs[output], name)
    same((told["METAFLOW_DEFAULT_DATASTORE"], told["METAFLOW_DEFAULT_METADATA"]), ("s3", "service"))
    same(told["METAFLOW_S3_ENDPOINT_URL"], "https://s3.us-east-1.amazonaws.com")
    same(told["METAFLOW_SFN_STATE_MACHINE_PREFIX"], "team-metaflow")
    assert told["METAFLOW_CONDA_PACKAGE_S3ROOT"].startswith("s3://"), told
    # The key's value, which only API Gateway tells, and not its id.
    key = told["METAFLOW_SERVICE_AUTH_KEY"]
    assert len(key) >= 20 and key != outputs["ApiKeyId"], "the key is not its value"
    assert key not in json.dumps(outputs), "an output has the key"


@check
def every_setting_is_one_of_the_client(setting):
    """A key that the client does not know would be ignored without a word."""
    known = setting.python(
        "import json, metaflow.metaflow_config as c\nfrom metaflow.metaflow_config_funcs import from_conf\n"
        "print(json.dumps([n for n in dir(c) if n.isupper()]))"
    )
    unknown = [name for name in setting.told if name.removeprefix("METAFLOW_") not in known]
    same(unknown, [], "what the client does not know")


@check
def the_command_line_writes_what_the_client_reads(setting):
    """The file is its owner's alone, and one of somebody else is not lost."""
    home = setting.folder / "another-home"
    home.mkdir()
    run = lambda *words, **more: setting.stack.run("metaflow", "config", *words, home=home, **more)  # noqa: E731
    run("--write", "--metaflow-profile", "team")
    path = home / ".metaflowconfig/config_team.json"
    same(stat.S_IMODE(path.stat().st_mode), 0o600, "the mode of the file")
    same(stat.S_IMODE(path.parent.stat().st_mode), 0o700, "the mode of the folder")
    same(json.loads(path.read_text()), setting.told, "the file")
    has(run("--write", "--metaflow-profile", "team").stderr, "says the same already")
    path.write_text('{"METAFLOW_SERVICE_URL": "of somebody else"}')
    refused = run("--write", "--metaflow-profile", "team", check=False)
    same(refused.returncode, 3, "the exit code")
    has(refused.stderr, "METAFLOW_SERVICE_URL")
    assert setting.told["METAFLOW_SERVICE_AUTH_KEY"] not in refused.stderr, "the key is told"
    has(path.read_text(), "of somebody else")
    run("--write", "--metaflow-profile", "team", "--replace")
    same(json.loads(path.read_text()), setting.told, "the file")
    lines = run("--format", "env").stdout.splitlines()
    assert f"export METAFLOW_BATCH_JOB_QUEUE='{setting.told['METAFLOW_BATCH_JOB_QUEUE']}'" in lines, lines
    same(len(lines), len(setting.told), "the lines")


@check
def the_client_imports_the_configuration(setting):
    """Into the configuration without a name: into a profile the client imports only what is there already."""
    file = setting.folder / "configuration.json"
    file.write_text(json.dumps(setting.configuration()))
    setting.run("metaflow", "configure", "import", file)
    shown = setting.run("metaflow", "configure", "show")
    for name, value in setting.configuration().items():
        has(shown, name)
        if name != "METAFLOW_SERVICE_AUTH_KEY":
            has(shown, value)


def logged(flow, name):
    """A program that tells of the latest run of a flow, as somebody who analyses it would."""
    return (
        "import json, metaflow\nmetaflow.namespace(None)\n"
        f"run = metaflow.Flow({flow!r}).latest_run\n"
        f"print(json.dumps([run.successful, run.data.{name}, run['end'].task.stdout]))"
    )


@check
def a_flow_keeps_its_data_in_the_bucket_and_tells_the_service(setting):
    said = setting.flow("two", "run")
    has(said, "ANSWER 42")
    successful, found, printed = setting.python(logged("TwoFlow", "found"))
    same((successful, found, printed.strip()), (True, 41, "ANSWER 42"), "the run")
    bucket = setting.told["METAFLOW_DATASTORE_SYSROOT_S3"].removeprefix("s3://").partition("/")[0]
    keys = [it["Key"] for it in setting.client("s3").list_objects_v2(Bucket=bucket)["Contents"]]
    assert keys and all(key.startswith("metaflow/TwoFlow/") for key in keys), keys[:5]


@check
def without_the_key_the_api_refuses(setting):
    if setting.service.inside == setting.service.outside:
        return
    refused = setting.flow("two", "run", check=False, METAFLOW_SERVICE_AUTH_KEY="wrong", METAFLOW_SERVICE_RETRY_COUNT="1")
    assert refused.returncode != 0, refused.stdout
    has(refused.stdout, "Forbidden")


def definitions(setting):
    return setting.client("batch").describe_job_definitions()["jobDefinitions"]


@check
def steps_run_on_batch_with_the_roles_of_the_stack(setting):
    said = setting.flow("two", "run", "--with", "batch")
    has(said, "ANSWER 42")
    successful, found, _ = setting.python(logged("TwoFlow", "found"))
    same((successful, found), (True, 41), "the run")
    (definition,) = definitions(setting)
    container = definition["containerProperties"]
    told = setting.told
    same(container["jobRoleArn"], told["METAFLOW_ECS_S3_ACCESS_IAM_ROLE"], "the role of jobs")
    same(container["executionRoleArn"], told["METAFLOW_ECS_FARGATE_EXECUTION_ROLE"], "the execution role")
    assert definition["jobDefinitionName"].startswith("metaflow_"), definition
    jobs = setting.client("batch").list_jobs(jobQueue=told["METAFLOW_BATCH_JOB_QUEUE"], jobStatus="SUCCEEDED")
    same(len(jobs["jobSummaryList"]), 2, "the jobs in the queue")


@check
def a_step_chooses_another_queue(setting):
    """Instances need no execution role; the queue is chosen by the step."""
    queue = setting.outputs["BatchJobQueueEc2"]
    has(setting.flow("chosen", "run", QUEUE=queue), "ANSWER 42")
    jobs = setting.client("batch").list_jobs(jobQueue=queue, jobStatus="SUCCEEDED")
    same(len(jobs["jobSummaryList"]), 1, "the jobs in the queue")
    roles = [it["containerProperties"].get("executionRoleArn") for it in definitions(setting)]
    assert None in roles, roles


@check
def a_flow_is_deployed_to_step_functions(setting):
    told = setting.told
    setting.flow("branches", "step-functions", "create", "--log-execution-history", "--generate-new-token")
    states = setting.client("stepfunctions")
    (machine,) = states.list_state_machines()["stateMachines"]
    same(machine["name"], "team-metaflow_BranchesFlow", "the name of the state machine")
    made = states.describe_state_machine(stateMachineArn=machine["stateMachineArn"])
    same(made["roleArn"], told["METAFLOW_SFN_IAM_ROLE"], "the role of the state machine")
    group = made["loggingConfiguration"]["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"]
    same(group, told["METAFLOW_SFN_EXECUTION_LOG_GROUP_ARN"], "the log group")
    for wanted in ("METAFLOW_SFN_DYNAMO_DB_TABLE", "METAFLOW_BATCH_JOB_QUEUE"):
        has(made["definition"], told[wanted])
    # What runs in the network is told the way inside of it.
    has(made["definition"], setting.configuration()["METAFLOW_SERVICE_INTERNAL_URL"])
    events = setting.client("events")
    (rule,) = events.list_rules()["Rules"]
    assert rule["Name"].startswith("team-metaflow_"), rule
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    same(target["RoleArn"], told["METAFLOW_EVENTS_SFN_ACCESS_IAM_ROLE"], "the role of the schedule")
    same(target["Arn"], machine["stateMachineArn"], "what the schedule starts")


@check
def calls_are_those_that_the_policies_are_tested_for(setting):
    """The list that the policies are evaluated with (actions.json) has every call that was really made."""
    listed = json.loads((setting.sources / "actions.json").read_text())
    known = {(row["who"], action.lower()) for row in listed for action in row["actions"]}
    # What needs no right of a policy.
    free = {("client", "sts:getcalleridentity")}
    services = {"states": "states", "batch": "batch", "s3": "s3", "dynamodb": "dynamodb", "events": "events", "sts": "sts"}
    made = {
        (caller, f"{services.get(service, service)}:{operation}".lower())
        for caller, service, operation in setting.calls_of_client_and_jobs()
    }
    same(sorted(made - known - free), [], "what was called and is not listed")
    wanted = {("client", "batch:submitjob"), ("client", "states:createstatemachine"), ("job", "s3:putobject")}
    same(sorted(wanted - made), [], "what was listed and not called")


if __name__ == "__main__":
    sys.exit("run.py runs the checks")

"""What CloudFormation does and the emulator does not: exports in use stay, and stacks say what they were given."""

from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, handlers, stacks
from ministack.services.cloudformation.helpers import _esc, _p


def importers(name, exporter):
    """The stacks that import an export and have not been deleted."""
    return [
        other
        for other, stack in cloudformation._stacks.items()
        if other != exporter
        and stack["StackStatus"] not in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS")
        and name in handlers._imported_export_names(stack, other)
    ]


def guard_exports():
    """The check stands where the emulator knows the new exports; its failure rolls the update back."""
    resolve = stacks._resolve_stack_outputs

    def resolving(outputs, conditions, resources, parameters, mappings, stack_name, stack_id):
        resolved, exports = resolve(
            outputs, conditions, resources, parameters, mappings, stack_name, stack_id
        )
        known = cloudformation._exports
        for name in exports:
            if name in known and known[name]["StackId"] != stack_id:
                raise ValueError(f"Export with name {name} is already exported by another stack")
        mine = [name for name, export in known.items() if export["StackId"] == stack_id]
        for name in mine:
            verb = "delete" if name not in exports else "update"
            same = verb == "update" and exports[name]["Value"] == known[name]["Value"]
            users = [] if same else importers(name, stack_name)
            if users:
                raise ValueError(f"Cannot {verb} export {name} as it is in use by {', '.join(users)}")
        for name in mine:
            if name not in exports:
                del known[name]
        return resolved, exports

    stacks._resolve_stack_outputs = resolving


def tell_what_was_given():
    """Stacks show the role that they were given, and parameters of SSM types the name beside what it stands for."""
    actions = handlers._ACTION_HANDLERS
    create, execute, describe = (
        actions[action] for action in ("CreateChangeSet", "ExecuteChangeSet", "DescribeStacks")
    )

    def creating(parameters):
        answer = create(parameters)
        _, change_set = of_change_set(parameters)
        if answer[0] == 200 and change_set and "RoleARN" in parameters:
            change_set["_role"] = _p(parameters, "RoleARN")
        return answer

    def executing(parameters):
        _, change_set = of_change_set(parameters)
        answer = execute(parameters)
        if answer[0] == 200 and change_set and "_role" in change_set:
            cloudformation._stacks[change_set["StackName"]]["_role"] = change_set["_role"]
        return answer

    def describing(parameters):
        status, headers, body = describe(parameters)
        for stack in cloudformation._stacks.values():
            body = told(body, stack)
        return status, headers, body

    actions |= {"CreateChangeSet": creating, "ExecuteChangeSet": executing, "DescribeStacks": describing}


def of_change_set(parameters):
    return changesets._find_change_set(_p(parameters, "ChangeSetName"), _p(parameters, "StackName"))


def told(body, stack):
    """The description of stacks with what one of them was given."""
    if "_role" in stack:
        member = f"<StackId>{stack['StackId']}</StackId>"
        role = f"<RoleARN>{_esc(stack['_role'])}</RoleARN>"
        body = body.replace(member.encode(), (member + role).encode())
    for name, parameter in (stack.get("_resolved_params") or {}).items():
        if "SsmName" not in parameter:
            continue
        key, value = f"<ParameterKey>{_esc(name)}</ParameterKey>", _esc(parameter["Value"])
        given = f"{_esc(parameter['SsmName'])}</ParameterValue><ResolvedValue>{value}</ResolvedValue>"
        shown = f"{key}<ParameterValue>{value}</ParameterValue>"
        body = body.replace(shown.encode(), f"{key}<ParameterValue>{given}".encode())
    return body

"""What CloudFormation does and the emulator does not: exports in use stay, and parameters say what they were given."""

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, stacks
from ministack.services.cloudformation.helpers import _esc


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


def tell_given_parameters():
    """A parameter of an SSM type shows the name that it was given, and beside it the value that it stands for."""
    describe = handlers._ACTION_HANDLERS["DescribeStacks"]

    def describing(parameters):
        status, headers, body = describe(parameters)
        for stack in cloudformation._stacks.values():
            for name, parameter in (stack.get("_resolved_params") or {}).items():
                if "SsmName" in parameter:
                    body = tell(body, name, parameter["SsmName"], parameter["Value"])
        return status, headers, body

    handlers._ACTION_HANDLERS["DescribeStacks"] = describing


def tell(body, name, given, value):
    key, value = f"<ParameterKey>{_esc(name)}</ParameterKey>", _esc(value)
    shown = f"{key}<ParameterValue>{value}</ParameterValue>"
    told = f"{key}<ParameterValue>{_esc(given)}</ParameterValue><ResolvedValue>{value}</ResolvedValue>"
    return body.replace(shown.encode(), told.encode())

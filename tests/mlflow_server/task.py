"""A task definition of a template, read and run here: its commands and variables, with this machine's places in them."""

import json
import re

from processes.child import Child, clean_environment


class Task:
    """The containers of the one task definition of a template.

    `places` says what this machine has in place of what CloudFormation would put in: attributes and references by
    `LogicalIdStart.Attribute`, where a reference has no attribute. `secrets` has the value of each secret's variable.
    """

    def __init__(self, template, places, secrets):
        resources = json.loads(template.read_text())["Resources"]
        tasks = [it for it in resources.values() if it["Type"] == "AWS::ECS::TaskDefinition"]
        if len(tasks) != 1:
            raise RuntimeError(f"{template} has {len(tasks)} task definitions")
        self.containers = {it["Name"]: it for it in tasks[0]["Properties"]["ContainerDefinitions"]}
        self.places, self.secrets = places, secrets

    def value(self, value):
        """The text that a value becomes."""
        if isinstance(value, str):
            return value
        ((function, argument),) = value.items()
        if function == "Ref":
            return self._place(argument)
        if function == "Fn::GetAtt":
            return self._place(".".join(argument))
        if function == "Fn::Sub":
            return re.sub(r"\$\{([^}]+)\}", lambda found: self._place(found[1]), argument)
        raise RuntimeError(f"the task has {function}, which this cannot resolve")

    def _place(self, name):
        found = [text for start, text in self.places.items() if self._fits(name, start)]
        if len(found) != 1:
            raise RuntimeError(f"there are {len(found)} places for {name}")
        return found[0]

    @staticmethod
    def _fits(name, start):
        # A logical id ends with eight hexadecimal digits of its own.
        logical, _, attribute = start.partition(".")
        return re.fullmatch(re.escape(logical) + r"([0-9A-F]{8})?" + re.escape("." + attribute if attribute else ""), name)

    def words(self, name):
        """The command line of a container."""
        container = self.containers[name]
        return [self.value(word) for word in container.get("EntryPoint", []) + container.get("Command", [])]

    def variables(self, name):
        """The environment of a container, with the secrets that ECS puts into it."""
        container = self.containers[name]
        plain = {it["Name"]: self.value(it["Value"]) for it in container["Environment"]}
        return plain | {it["Name"]: self.secrets[it["Name"]] for it in container["Secrets"]}

    def start(self, name, folder, log, replaced=(), **more):
        """Runs a container's program; `replaced` has words of its command line that are others here."""
        folder.mkdir(parents=True, exist_ok=True)
        line = [dict(replaced).get(word, word) for word in self.words(name)]
        environment = clean_environment(**(self.variables(name) | {"HOME": folder, "TMPDIR": folder} | more))
        return Child(name, line, environment, log, folder)

"""Judges many templates by AWS's cloudformation-validate in one process, with a time limit for each template.

Reads {"templates": [path], "regions": [name], "limit": seconds} from standard input and writes one JSON line for each
template: {"template": path, "passed_limit": bool, "findings": [{"level", "rule", "place", "message"}]}.

The engine takes half a second to build and is native code that cannot be interrupted: a worker process builds it once
and is killed and replaced when a template passes the limit.
"""

import json
import multiprocessing
import sys

LEVELS = {"FATAL": "error", "ERROR": "error", "WARN": "warning", "INFO": "informational", "DEBUG": "informational"}


def judge(engine, template, regions):
    """All findings about a template, each once even when several regions give it."""
    from cloudformation_validate import DetailLevel, PseudoParameterOverrides, ReportStatus, ValidateConfig

    findings = []
    for region in regions:
        pseudo_parameters = PseudoParameterOverrides(region=region)
        config = ValidateConfig(detail_level=DetailLevel.STANDARD, pseudo_parameter_overrides=pseudo_parameters)
        report = engine.validate_template(template, config)
        for diagnostic in report.diagnostics:
            place = [diagnostic.entity.logical_id] if diagnostic.entity else []
            place += diagnostic.property_path.split(".") if diagnostic.property_path else []
            finding = {
                "level": LEVELS[diagnostic.severity.name],
                "rule": diagnostic.rule_id,
                "place": "/".join(place),
                "message": diagnostic.message,
            }
            if finding not in findings:
                findings.append(finding)
        if report.status is ReportStatus.ERROR and not any(finding["level"] == "error" for finding in findings):
            findings.append({"level": "error", "rule": "not-judged", "place": "", "message": "could not be judged"})
        if report.status is ReportStatus.ANALYSIS_INCOMPLETE:
            finding = {"level": "informational", "rule": "incomplete", "place": "", "message": "judged in part"}
            if finding not in findings:
                findings.append(finding)
    return findings


def work(pipe):
    """Judges what comes through the pipe until it is closed."""
    from cloudformation_validate import CelEngine, ValidationError

    engine = CelEngine()
    pipe.send("ready")
    while True:
        try:
            template, regions = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(judge(engine, template, regions))
        except (OSError, ValidationError) as error:
            pipe.send([{"level": "error", "rule": "not-judged", "place": "", "message": str(error)}])


class Worker:
    """A process with a built engine."""

    def __init__(self):
        self.pipe, child = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=work, args=(child,), daemon=True)
        self.process.start()
        child.close()
        self.pipe.recv()

    def judge(self, template, regions, limit):
        """The findings, or None when the limit has passed."""
        self.pipe.send((template, regions))
        return self.pipe.recv() if self.pipe.poll(limit) else None

    def kill(self):
        self.process.kill()
        self.process.join()


def main():
    request = json.load(sys.stdin)
    worker = Worker()
    for template in request["templates"]:
        findings = worker.judge(template, request["regions"], request["limit"])
        passed_limit = findings is None
        if passed_limit:
            worker.kill()
            worker = Worker()
        answer = {"template": template, "passed_limit": passed_limit, "findings": findings or []}
        print(json.dumps(answer), flush=True)
    worker.kill()


if __name__ == "__main__":
    main()

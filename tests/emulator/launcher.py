"""Starts ministack with what our stacks need besides: resource types, failures on request, time, and a SageMaker.

What the emulator does less than CloudFormation is in gaps.py; recorder.py writes down what it was asked for.

The emulator knows neither SageMaker nor some types of EC2. Here they are resources without a life of their own: made,
changed and deleted by CloudFormation as their properties say, with the identifiers and attributes that templates use.
They prove the order and the outcome of a deployment, not that AWS would take the values; schemas and judges do that.

The launcher reaches into the emulator, whose version is therefore exact in requirements.txt. It is told by environment:

GATEWAY_PORT, BIND_HOST      where the emulator listens (its own settings)
EMULATOR_SAGEMAKER_PORT      where the SageMaker that custom resources call listens
EMULATOR_FAULTS              a JSON file that is read before each resource:
                             {"delay": seconds, "fail": {"LogicalId": "reason"}}
EMULATOR_REQUESTS            a file that gets a line for each request

It ends when its standard input does: whoever started it holds the other end, and nothing stays when that one is killed.
"""

import json
import os
import signal
import sys
import time
import uuid
from pathlib import Path
from threading import Thread

import metaflow
from gaps import guard_exports, tell_what_was_given
from ministack import app
from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2, ssm
from ministack.services.cloudformation import changesets, helpers, provisioners, stacks
from recorder import Recorder

REPOSITORY = Path(__file__).resolve().parents[2]


def arn(service, resource):
    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}"


def random_id(prefix):
    return prefix + uuid.uuid4().hex[:17]


class Resource:
    """A type of resources that only exist in their stack."""

    def __init__(self, identify, attributes=lambda identifier, properties: {}, create_only=()):
        self._identify, self._attributes, self._create_only = identify, attributes, create_only

    def create(self, logical_id, properties, stack_name):
        identifier = self._identify(properties)
        return identifier, self._attributes(identifier, properties)

    def update(self, identifier, old, new, stack_name):
        if any(old.get(name) != new.get(name) for name in self._create_only):
            return self.create("", new, stack_name)
        return identifier, self._attributes(identifier, new)

    def delete(self, identifier, properties):
        """Nothing is left behind."""

    def handlers(self):
        return {"create": self.create, "update": self.update, "delete": self.delete}


def named(prefix):
    return lambda properties: random_id(prefix)


def address(properties):
    first, second, third = uuid.uuid4().bytes[:3]
    return f"52.{first}.{second}.{third}"


def domain(identifier, properties):
    return {
        "DomainId": identifier,
        "DomainArn": arn("sagemaker", f"domain/{identifier}"),
        "Url": f"https://{identifier}.studio.{get_region()}.sagemaker.aws",
        "HomeEfsFileSystemId": "fs-" + identifier[2:10],
    }


TYPES = {
    "AWS::EC2::EIP": Resource(
        address,
        lambda identifier, properties: {
            "PublicIp": identifier,
            "AllocationId": "eipalloc-" + uuid.uuid5(uuid.NAMESPACE_DNS, identifier).hex[:17],
        },
    ),
    "AWS::EC2::NatGateway": Resource(
        named("nat-"),
        lambda identifier, properties: {"NatGatewayId": identifier},
        create_only=("SubnetId", "AllocationId", "ConnectivityType"),
    ),
    "AWS::EC2::FlowLog": Resource(
        named("fl-"),
        lambda identifier, properties: {"Id": identifier},
        create_only=("ResourceId", "ResourceType", "TrafficType", "LogGroupName"),
    ),
    "AWS::EC2::SecurityGroupIngress": Resource(
        named("sgr-"), lambda identifier, properties: {"Id": identifier}, create_only=("GroupId", "CidrIp")
    ),
    "AWS::EC2::SecurityGroupEgress": Resource(
        named("sgr-"), lambda identifier, properties: {"Id": identifier}, create_only=("GroupId", "CidrIp")
    ),
    "AWS::EC2::Instance": Resource(
        named("i-"),
        lambda identifier, properties: {"InstanceId": identifier, "PrivateIp": "10.20.0.10"},
        create_only=("ImageId", "SubnetId", "UserData"),
    ),
    "AWS::SageMaker::Domain": Resource(
        named("d-"), domain, create_only=("DomainName", "AuthMode", "VpcId", "KmsKeyId")
    ),
    "AWS::SageMaker::UserProfile": Resource(
        lambda properties: properties["UserProfileName"],
        lambda identifier, properties: {
            "UserProfileArn": arn("sagemaker", f"user-profile/{properties['DomainId']}/{identifier}")
        },
        create_only=("UserProfileName", "DomainId"),
    ),
    "AWS::SageMaker::MlflowTrackingServer": Resource(
        lambda properties: properties["TrackingServerName"],
        lambda identifier, properties: {
            "TrackingServerArn": arn("sagemaker", f"mlflow-tracking-server/{identifier}")
        },
        create_only=("TrackingServerName",),
    ),
    "AWS::SageMaker::MlflowApp": Resource(
        lambda properties: arn("sagemaker", "mlflow-app/app-" + uuid.uuid4().hex[:12].upper()),
        lambda identifier, properties: {"Arn": identifier, "Status": "Created"},
        create_only=("Name",),
    ),
}


class Faults:
    """What goes wrong or takes time, as the file says now."""

    def __init__(self, path):
        self._path = path

    def _read(self):
        try:
            return json.loads(Path(self._path).read_text()) if self._path else {}
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def meet(self, logical_id):
        faults = self._read()
        time.sleep(faults.get("delay", 0))
        reason = faults.get("fail", {}).get(logical_id)
        if reason:
            raise ValueError(reason)


def add_types():
    for name, resource in (TYPES | metaflow.types(Resource, arn)).items():
        provisioners._RESOURCE_HANDLERS.setdefault(name, resource.handlers())
    add_attribute("AWS::EC2::VPC", "CidrBlock")


def add_attribute(name, attribute):
    """An attribute that AWS gives back and the emulator does not: it is the property of the same name."""
    handlers = provisioners._RESOURCE_HANDLERS[name]

    def completed(result, properties):
        identifier, attributes = result
        return identifier, {attribute: properties.get(attribute)} | (attributes or {})

    def creating(logical_id, properties, stack_name):
        return completed(handlers["create"](logical_id, properties, stack_name), properties)

    def updating(identifier, old, new, *rest):
        return completed(handlers["update"](identifier, old, new, *rest), new)

    provisioners._RESOURCE_HANDLERS[name] = handlers | {"create": creating, "update": updating}


def add_faults(faults):
    """Every resource meets the faults before it is made or changed, on a thread of its own, so that it may take time."""
    create, update = provisioners._provision_resource, provisioners._update_resource

    def creating(resource_type, logical_id, *rest):
        faults.meet(logical_id)
        return create(resource_type, logical_id, *rest)

    def updating(resource_type, identifier, old, new, stack_name, logical_id=None, *rest):
        if old != new:
            faults.meet(logical_id)
        return update(resource_type, identifier, old, new, stack_name, logical_id, *rest)

    for module in (provisioners, stacks, changesets):
        if getattr(module, "_provision_resource", None) is create:
            module._provision_resource = creating
        if getattr(module, "_update_resource", None) is update:
            module._update_resource = updating
    stacks._runs_on_worker_thread = lambda resource_type: True


def accept_virtual_hosts():
    """Template URLs of the form https://bucket.s3.region.amazonaws.com/key, which the emulator takes for a path."""
    parse = helpers.urlparse

    def parsing(url):
        parsed = parse(url)
        host = (parsed.hostname or "").split(".")
        if len(host) > 3 and host[-2] == "amazonaws" and "s3" in host[1:] and host[0] != "s3":
            return parsed._replace(path=f"/{'.'.join(host[: host.index('s3')])}{parsed.path}")
        return parsed

    helpers.urlparse = parsing


def add_public_parameters():
    """The images that AWS publishes; each distribution and architecture has one here."""
    for architecture in ("amd64", "arm64"):
        name = f"/aws/service/canonical/ubuntu/server/24.04/stable/current/{architecture}/hvm/ebs-gp3/ami-id"
        ssm._PUBLIC_AMI_PARAMETERS[name] = "ami-" + uuid.uuid5(uuid.NAMESPACE_DNS, name).hex[:17]


def add_endpoint_services():
    """The services with endpoints that our networks have; those of SageMaker have names of another form."""
    ec2._VPCE_INTERFACE_SERVICES += ("cloudformation", "sagemaker.api", "sagemaker.runtime")
    describe = ec2._ACTION_MAP["DescribeVpcEndpointServices"]

    def describing(parameters):
        status, headers, body = describe(parameters)
        names = (f"aws.sagemaker.{get_region()}.{name}" for name in ("experiments", "notebook", "studio"))
        more = "".join(f"<item>{name}</item>" for name in names)
        return status, headers, body.replace(b"</serviceNameSet>", f"{more}</serviceNameSet>".encode())

    ec2._ACTION_MAP["DescribeVpcEndpointServices"] = describing


class Clock:
    """Real time, in the form that the SageMaker of the handler's tests asks for."""

    now = staticmethod(time.monotonic)


def start_sagemaker(port, recorder):
    """The SageMaker of the handler's tests, one for each region, behind one port."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from threading import Lock

    sys.path.insert(0, str(REPOSITORY / "lambda-layers/mlflow-app/tests"))
    from fake_sagemaker import MODEL, FakeSageMaker, ServiceFault

    class SageMaker(FakeSageMaker):
        """With a Studio in which nobody works: lists of everything else are empty, and nothing else is there."""

        def __getattr__(self, name):
            operation = name.removeprefix("_")
            if operation not in MODEL.operation_names:
                raise AttributeError(name)
            return lambda parameters: self._nothing(MODEL.operation_model(operation).output_shape, operation)

        def _nothing(self, answer, operation):
            if not operation.startswith("List"):
                raise ServiceFault("ResourceNotFound", f"{operation}: there is no such resource")
            return {name: [] for name, shape in answer.members.items() if shape.type_name == "list"}

    regions, lock = {}, Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            # Credential=ID/DATE/REGION/sagemaker/aws4_request
            region = self.headers.get("Authorization", "").split("/")[2]
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            recorder.note(service="sagemaker", operation=operation, region=region)
            with lock:
                if region not in regions:
                    regions[region] = SageMaker(Clock(), region)
                    regions[region].seconds = {"Creating": 1, "Updating": 1, "Deleting": 1}
                regions[region]._answer(self, self.headers["X-Amz-Target"], body)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    os.environ["AWS_ENDPOINT_URL_SAGEMAKER"] = f"http://127.0.0.1:{server.server_port}"


def end_with_input():
    """Ends the emulator, in its own way, when its standard input ends."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main():
    recorder = Recorder(os.environ.get("EMULATOR_REQUESTS"))
    add_types()
    add_faults(Faults(os.environ.get("EMULATOR_FAULTS")))
    accept_virtual_hosts()
    add_public_parameters()
    add_endpoint_services()
    guard_exports()
    tell_what_was_given()
    start_sagemaker(int(os.environ.get("EMULATOR_SAGEMAKER_PORT", "0")), recorder)
    app.app = recorder.around(app.app)
    Thread(target=end_with_input, daemon=True).start()
    app.main()


if __name__ == "__main__":
    main()

"""What a stack of Metaflow has and the emulator does not: environments and queues of AWS Batch, links, notebooks.

They have no life of their own: jobs do not run, and nothing answers. The migration of the tables, which calls the
service, is taken to have been done.
"""

import uuid


def types(resource, arn):
    """The types, as resources that only exist in their stack."""

    def of_batch(kind):
        def identify(properties):
            name = {"compute-environment": "ComputeEnvironmentName", "job-queue": "JobQueueName"}[kind]
            return arn("batch", f"{kind}/{properties.get(name) or uuid.uuid4().hex[:20]}")

        return identify

    def hexadecimal(length):
        return lambda properties: uuid.uuid4().hex[:length]

    def of_sagemaker(name):
        return lambda properties: arn("sagemaker", f"{name}/{uuid.uuid4().hex[:20]}")

    def attribute(name):
        return lambda identifier, properties: {name: identifier.rpartition("/")[2]}

    return {
        "AWS::ApiGateway::VpcLink": resource(hexadecimal(6), create_only=("TargetArns",)),
        "AWS::ApplicationAutoScaling::ScalableTarget": resource(
            lambda properties: "|".join(properties[name] for name in ("ResourceId", "ScalableDimension", "ServiceNamespace"))
        ),
        "AWS::ApplicationAutoScaling::ScalingPolicy": resource(
            lambda properties: arn("autoscaling", f"scalingPolicy:{uuid.uuid4()}")
        ),
        "AWS::Batch::ComputeEnvironment": resource(of_batch("compute-environment"), create_only=("Type",)),
        "AWS::Batch::JobQueue": resource(of_batch("job-queue"), create_only=("JobQueueName",)),
        "AWS::SageMaker::NotebookInstance": resource(
            of_sagemaker("notebook-instance"), attribute("NotebookInstanceName"), create_only=("SubnetId",)
        ),
        "AWS::SageMaker::NotebookInstanceLifecycleConfig": resource(
            of_sagemaker("notebook-instance-lifecycle-config"), attribute("NotebookInstanceLifecycleConfigName")
        ),
        "Custom::MetaflowSchema": resource(
            hexadecimal(12), lambda identifier, properties: {"Status": "up to date", "SchemaVersion": "20260706000003"}
        ),
    }

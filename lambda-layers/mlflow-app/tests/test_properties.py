"""Properties: from CloudFormation's strings to the service's types, and every mistake named."""

import pytest
from mlflow_stage import PROPERTIES

from custom_resource.errors import ResourceError
from mlflow_app.endpoint import app_id, endpoint, is_app_arn
from mlflow_app.properties import AppProperties


def parse(**changes):
    return AppProperties.parse(PROPERTIES | changes)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(["d-1", "d-2"], ["d-1", "d-2"]), ("d-1, d-2", ["d-1", "d-2"]), ("", []), ([], []), (["d-1", ""], ["d-1"])],
)
def test_lists_arrive_as_lists_or_as_one_string(value, expected):
    assert parse(DefaultDomainIdList=value).default_domains == expected


def test_empty_strings_are_absent_properties():
    assert parse(KmsKeyId="", WeeklyMaintenanceWindowStart="") == parse()


def test_what_cloudformation_itself_reads_is_no_property_of_the_app():
    assert parse(ServiceTimeout="900") == parse()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"Name": ""}, "property Name is missing or empty"),
        ({"RoleArn": None}, "property RoleArn is missing or empty"),
        ({"Name": ["a"]}, "property Name must be a string"),
        ({"ModelRegistrationMode": "true"}, "it may be AutoModelRegistrationEnabled or AutoModelRegistrationDisabled"),
        ({"AccountDefaultStatus": "enabled"}, "it may be ENABLED or DISABLED"),
        ({"DefaultDomainIdList": {"a": 1}}, "must be a list of strings"),
        ({"KmsKeyId": "alias/mine"}, "name the key's id or ARN"),
        ({"ArtifactStoreUrl": "s3://b"}, "did you mean ArtifactStoreUri"),
        ({"Zebra": "1"}, "known are AccountDefaultStatus"),
        ({"Tags": {"a": "b"}}, "list of Key and Value pairs"),
        ({"Tags": [{"Value": "b"}]}, "list of Key and Value pairs"),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}, "distinct keys"),
        ({"Tags": [{"Key": "aws:a", "Value": "1"}]}, "reserved prefix"),
        ({"Tags": [{"Key": "formwork:a", "Value": "1"}]}, "reserved prefix"),
        ({"Tags": [{"Key": str(i), "Value": "1"} for i in range(47)]}, "47 tags are too many"),
    ],
)
def test_a_mistake_is_named_with_the_way_out(changes, text):
    with pytest.raises(ResourceError) as raised:
        parse(**changes)
    assert text in str(raised.value)


@pytest.mark.parametrize(
    ("partition", "region", "expected"),
    [
        ("aws", "eu-west-1", "https://mlflow.sagemaker.eu-west-1.app.aws"),
        ("aws-us-gov", "us-gov-west-1", "https://mlflow.sagemaker.us-gov-west-1.app.aws"),
        ("aws-cn", "cn-north-1", ""),
        ("aws-eusc", "eusc-de-east-1", ""),
    ],
)
def test_the_endpoint_is_derived_where_it_is_known(partition, region, expected):
    assert endpoint(f"arn:{partition}:sagemaker:{region}:123456789012:mlflow-app/app-1") == expected


def test_the_arn_tells_the_id_and_other_ids_are_no_arn():
    arn = "arn:aws:sagemaker:us-east-1:123456789012:mlflow-app/app-1"
    assert is_app_arn(arn)
    assert app_id(arn) == "app-1"
    assert not is_app_arn(arn.replace("mlflow-app", "mlflow-tracking-server"))
    assert not is_app_arn(None)

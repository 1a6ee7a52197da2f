"""S3, STS and SSM as boto3 uses them, against the endpoint in AWS_ENDPOINT_URL."""

import io
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
PART = 5 * 1024 * 1024


def code(call, **arguments):
    """The error code of a call that has to fail."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError(f"{call} did not fail")


def identity():
    sts = boto3.client("sts")
    assert sts.get_caller_identity()["Account"] == ACCOUNT
    role = "arn:aws:iam::111122223333:role/deploy"
    assumed = sts.assume_role(RoleArn=role, RoleSessionName="session", DurationSeconds=900)["Credentials"]
    other = boto3.client(
        "sts",
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )
    assert other.get_caller_identity()["Arn"] == "arn:aws:sts::111122223333:assumed-role/deploy/session"


def parameters():
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name="/a/b", Value="1", Type="String")
    assert code(ssm.put_parameter, Name="/a/b", Value="2", Type="String") == "ParameterAlreadyExists"
    ssm.put_parameter(Name="/a/b", Value="2", Overwrite=True)
    assert ssm.get_parameter(Name="/a/b")["Parameter"]["Value"] == "2"
    assert ssm.get_parameters_by_path(Path="/a")["Parameters"][0]["Version"] == 2
    assert code(ssm.get_parameter, Name="/none") == "ParameterNotFound"
    ssm.delete_parameter(Name="/a/b")


def buckets(s3):
    s3.create_bucket(Bucket="assets", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.get_waiter("bucket_exists").wait(Bucket="assets", WaiterConfig={"Delay": 1, "MaxAttempts": 2})
    assert s3.get_bucket_location(Bucket="assets")["LocationConstraint"] == "eu-west-1"
    rules = s3.get_bucket_encryption(Bucket="assets")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert code(s3.get_bucket_policy, Bucket="assets") == "NoSuchBucketPolicy"
    assert code(s3.head_bucket, Bucket="nowhere") == "404"
    assert code(s3.list_objects_v2, Bucket="nowhere") == "NoSuchBucket"
    assert code(s3.head_bucket, Bucket="assets", ExpectedBucketOwner="999999999999") == "403"
    assert "assets" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def objects(s3):
    put = s3.put_object(
        Bucket="assets", Key="a b/é.zip", Body=b"hello", Metadata={"made-by": "test"},
        ChecksumAlgorithm="SHA256", ServerSideEncryption="aws:kms", SSEKMSKeyId="key-1",
        ExpectedBucketOwner=ACCOUNT,
    )
    assert put["ServerSideEncryption"] == "aws:kms" and put["SSEKMSKeyId"] == "key-1"
    assert put["ChecksumSHA256"] == "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
    # A stream is sent in chunks with a trailer.
    s3.put_object(Bucket="assets", Key="stream", Body=io.BytesIO(b"x" * 100_000))
    assert s3.get_object(Bucket="assets", Key="stream")["Body"].read() == b"x" * 100_000
    got = s3.get_object(Bucket="assets", Key="a b/é.zip", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"hello" and got["Metadata"] == {"made-by": "test"}
    assert s3.get_object(Bucket="assets", Key="a b/é.zip", Range="bytes=1-2")["Body"].read() == b"el"
    assert s3.head_object(Bucket="assets", Key="a b/é.zip")["ContentLength"] == 5
    assert code(s3.head_object, Bucket="assets", Key="none") == "404"
    assert code(s3.get_object, Bucket="assets", Key="none") == "NoSuchKey"
    assert code(s3.put_object, Bucket="assets", Key="stream", Body=b"", IfNoneMatch="*") == "PreconditionFailed"
    assert (
        code(s3.put_object, Bucket="assets", Key="bad", Body=b"hello", ChecksumSHA256="A" * 43 + "=") == "BadDigest"
    )
    s3.copy_object(Bucket="assets", Key="copy", CopySource={"Bucket": "assets", "Key": "a b/é.zip"})
    listed = s3.list_objects_v2(Bucket="assets", MaxKeys=2)
    assert [item["Key"] for item in listed["Contents"]] == ["a b/é.zip", "copy"] and listed["IsTruncated"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="assets", PaginationConfig={"PageSize": 1})
    assert [item["Key"] for page in pages for item in page["Contents"]] == ["a b/é.zip", "copy", "stream"]
    grouped = s3.list_objects_v2(Bucket="assets", Delimiter="/")
    assert grouped["CommonPrefixes"] == [{"Prefix": "a b/"}] and grouped["KeyCount"] == 3


def parts(s3):
    body = b"y" * (PART + 7)
    s3.upload_fileobj(
        io.BytesIO(body), "assets", "large",
        ExtraArgs={"ChecksumAlgorithm": "SHA256", "ExpectedBucketOwner": ACCOUNT},
        Config=TransferConfig(multipart_threshold=PART, multipart_chunksize=PART),
    )
    head = s3.head_object(Bucket="assets", Key="large", ChecksumMode="ENABLED")
    assert head["ContentLength"] == len(body) and head["ETag"].endswith('-2"')
    assert head["ChecksumSHA256"].endswith("-2")
    assert s3.get_object(Bucket="assets", Key="large")["Body"].read() == body
    upload = s3.create_multipart_upload(Bucket="assets", Key="left")["UploadId"]
    s3.upload_part(Bucket="assets", Key="left", UploadId=upload, PartNumber=1, Body=b"z")
    assert len(s3.list_parts(Bucket="assets", Key="left", UploadId=upload)["Parts"]) == 1
    assert s3.list_multipart_uploads(Bucket="assets")["Uploads"][0]["Key"] == "left"
    s3.abort_multipart_upload(Bucket="assets", Key="left", UploadId=upload)
    assert code(s3.list_parts, Bucket="assets", Key="left", UploadId=upload) == "NoSuchUpload"


def versions(s3):
    s3.put_bucket_versioning(Bucket="assets", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="assets", Key="v", Body=b"1")["VersionId"]
    s3.put_object(Bucket="assets", Key="v", Body=b"2")
    assert s3.delete_object(Bucket="assets", Key="v")["DeleteMarker"]
    assert code(s3.get_object, Bucket="assets", Key="v") == "NoSuchKey"
    assert s3.get_object(Bucket="assets", Key="v", VersionId=first)["Body"].read() == b"1"
    assert code(s3.delete_bucket, Bucket="assets") == "BucketNotEmpty"
    listed = s3.list_object_versions(Bucket="assets")
    every = listed["Versions"] + listed["DeleteMarkers"]
    s3.delete_objects(
        Bucket="assets",
        Delete={"Objects": [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in every]},
    )
    s3.delete_bucket(Bucket="assets")
    assert code(s3.head_bucket, Bucket="assets") == "404"


def strangers(s3):
    assert code(s3.list_objects_v2, Bucket="squatted", ExpectedBucketOwner=ACCOUNT) == "AccessDenied"
    s3.put_object(Bucket="squatted", Key="k", Body=b"leaked")
    elsewhere = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    assert elsewhere.head_bucket(Bucket="far")["BucketRegion"] == "ap-southeast-2"
    assert code(s3.put_object, Bucket="strict", Key="k", Body=b"") == "AccessDenied"
    s3.put_object(Bucket="strict", Key="k", Body=b"", ServerSideEncryption="AES256")
    assert code(s3.put_object, Bucket="locked", Key="k", Body=b"", ServerSideEncryption="aws:kms") == "AccessDenied"
    assert code(s3.put_object, Bucket="torn", Key="k", Body=b"x") == "BadDigest"


if __name__ == "__main__":
    identity()
    parameters()
    client = boto3.client("s3")
    buckets(client)
    objects(client)
    parts(client)
    versions(client)
    strangers(client)
    sys.stdout.write("done\n")

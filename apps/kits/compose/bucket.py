#!/usr/bin/env python3
"""Makes the bucket for artifacts, and proves that only those who should can reach it."""

import os
import sys
import uuid
from pathlib import Path

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

SECRETS = Path(os.environ.get("MLFLOW_KIT_SECRETS", "/run/secrets"))
REFUSED = (401, 403)


def client(endpoint, secret=None):
    """A client with the key in a secret, or with none."""
    config = {"s3": {"addressing_style": "path"}, "retries": {"max_attempts": 5, "mode": "standard"}}
    if secret is None:
        config["signature_version"] = UNSIGNED
        return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=Config(**config))
    # botocore reads the form that AWS's own programs keep keys in.
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(SECRETS / secret)
    session = boto3.Session(region_name="us-east-1")
    return session.client("s3", endpoint_url=endpoint, config=Config(**config))


def status(call):
    """The HTTP status of a call."""
    try:
        return call()["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


def main(endpoint, bucket):
    admin, server, nobody = client(endpoint, "store_admin"), client(endpoint, "store_server"), client(endpoint)
    if status(lambda: admin.head_bucket(Bucket=bucket)) == 404:
        admin.create_bucket(Bucket=bucket)
        print(f"made the bucket {bucket}")
    else:
        print(f"the bucket {bucket} is there")

    key = f"artifacts/.check-{uuid.uuid4().hex}"
    wrong = []
    server.put_object(Bucket=bucket, Key=key, Body=b"check")
    try:
        if server.get_object(Bucket=bucket, Key=key)["Body"].read() != b"check":
            wrong.append("MLflow's key does not get back what it has put")
        if status(lambda: nobody.get_object(Bucket=bucket, Key=key)) not in REFUSED:
            wrong.append(f"anybody can read what is in {bucket}")
        if status(lambda: nobody.list_objects_v2(Bucket=bucket)) not in REFUSED:
            wrong.append(f"anybody can list what is in {bucket}")
        if status(lambda: server.create_bucket(Bucket=f"check-{uuid.uuid4().hex[:12]}")) not in REFUSED:
            wrong.append("MLflow's key can make buckets")
    finally:
        server.delete_object(Bucket=bucket, Key=key)
    for each in wrong:
        print(f"error: {each}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: bucket.py ENDPOINT BUCKET")
    sys.exit(main(*sys.argv[1:]))

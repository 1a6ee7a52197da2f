"""A proxy as one writes it with Flask, botocore and requests in an afternoon: what ours is compared with.

It takes every path and method, signs with the credentials of an assumed role and sends the whole body on. Either Flask's
development server runs it, as a systemd unit of such a sample does, or gunicorn.
"""

import os
import time

import boto3
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from flask import Flask, Response, request

ROLE = os.environ["SM_MLFLOW_ROLE_ARN"]
REGION = os.environ["SM_MLFLOW_AWS_REGION"]
ARN = os.environ["SM_MLFLOW_RESOURCE_ARN"]
ENDPOINT = os.environ["SM_MLFLOW_ENDPOINT"]
SERVERLESS = ":mlflow-app/" in ARN
SERVICE = "sagemaker" if SERVERLESS else "sagemaker-mlflow"
ROUTING = "x-sm-mlflow-app-arn" if SERVERLESS else "x-mlflow-sm-tracking-server-arn"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# The answer's body is decoded and sent anew.
DROPPED = {"connection", "content-encoding", "content-length", "transfer-encoding"}

app = Flask(__name__)
assumed = {"until": 0.0, "credentials": None}


def credentials():
    """The role's credentials, until five minutes before they expire."""
    if assumed["until"] < time.time() + 300:
        answer = boto3.client("sts", region_name=REGION).assume_role(RoleArn=ROLE, RoleSessionName="MlflowProxy")
        found = answer["Credentials"]
        session = boto3.Session(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
        assumed["credentials"] = session.get_credentials()
        assumed["until"] = found["Expiration"].timestamp()
    return assumed["credentials"]


@app.route("/health")
def health():
    return {"status": "healthy"}


@app.route("/<path:path>", methods=METHODS)
def forward(path):
    url = f"{ENDPOINT}/{path}"
    if request.query_string:
        url += "?" + request.query_string.decode()
    headers = {ROUTING: ARN}
    for name in ("Content-Type", "Accept"):
        if name in request.headers:
            headers[name] = request.headers[name]
    body = request.get_data()
    signed = AWSRequest(method=request.method, url=url, data=body, headers=headers)
    SigV4Auth(credentials(), SERVICE, REGION).add_auth(signed)
    answer = requests.request(request.method, url, headers=dict(signed.headers), data=body, timeout=60)
    kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in DROPPED]
    return Response(answer.content, answer.status_code, kept)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]))

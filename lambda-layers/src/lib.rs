//! What runs in AWS Lambda: handlers as embedded bytes, and the builder of the boto3 layer.

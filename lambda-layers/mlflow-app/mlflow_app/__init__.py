"""The custom resource `Custom::MlflowApp`: a SageMaker serverless MLflow app, driven by CloudFormation.

`AWS::SageMaker::MlflowApp` is the native type and the better choice where it is enough. This handler exists for
the three properties that the native type lacks (KmsKeyId, AccountDefaultStatus, DefaultDomainIdList) and for
regions that have the service but not the type.
"""

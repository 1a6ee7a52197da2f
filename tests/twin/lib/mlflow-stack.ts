// Managed MLflow: a tracking server, or a serverless app that a Lambda function makes.

import * as path from "node:path";

import { CfnOutput, CustomResource, Duration, RemovalPolicy, Stack, StackProps } from "aws-cdk-lib";
import * as iam from "aws-cdk-lib/aws-iam";
import * as lambda from "aws-cdk-lib/aws-lambda";
import * as logs from "aws-cdk-lib/aws-logs";
import * as s3 from "aws-cdk-lib/aws-s3";
import * as sagemaker from "aws-cdk-lib/aws-sagemaker";
import { Construct } from "constructs";

export type MlflowType = "tracking" | "serverless";

export function isMlflowType(word: unknown): word is MlflowType {
  return word === "tracking" || word === "serverless";
}

export interface MlflowStackProps extends StackProps {
  readonly mlflowType: MlflowType;
}

export class MlflowStack extends Stack {
  readonly mlflowArn: string;

  constructor(scope: Construct, id: string, props: MlflowStackProps) {
    super(scope, id, props);
    const artifacts = new s3.Bucket(this, "Artifacts", {
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      versioned: true,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(7) }],
    });
    const role = new iam.Role(this, "MlflowRole", {
      assumedBy: new iam.ServicePrincipal("sagemaker.amazonaws.com"),
    });
    artifacts.grantReadWrite(role);

    const name = `twin-${props.mlflowType}`;
    if (props.mlflowType === "tracking") {
      const server = new sagemaker.CfnMlflowTrackingServer(this, "TrackingServer", {
        trackingServerName: name,
        artifactStoreUri: artifacts.s3UrlForObject(),
        roleArn: role.roleArn,
        trackingServerSize: "Small",
      });
      this.mlflowArn = server.attrTrackingServerArn;
    } else {
      this.mlflowArn = this.serverless(name, artifacts, role);
    }
    new CfnOutput(this, "MlflowArn", { value: this.mlflowArn });
    new CfnOutput(this, "ArtifactBucket", { value: artifacts.bucketName });
  }

  private serverless(name: string, artifacts: s3.Bucket, role: iam.Role): string {
    const handler = new lambda.Function(this, "Handler", {
      runtime: lambda.Runtime.PYTHON_3_13,
      handler: "index.handler",
      code: lambda.Code.fromAsset(path.join(__dirname, "..", "lambda")),
      timeout: Duration.minutes(5),
      logGroup: new logs.LogGroup(this, "HandlerLogs", { removalPolicy: RemovalPolicy.DESTROY }),
    });
    handler.addToRolePolicy(
      new iam.PolicyStatement({
        actions: ["Create", "Describe", "Update", "Delete"].map((verb) => `sagemaker:${verb}MlflowApp`),
        resources: [this.formatArn({ service: "sagemaker", resource: "mlflow-app", resourceName: "*" })],
      }),
    );
    role.grantPassRole(handler.grantPrincipal);
    const app = new CustomResource(this, "MlflowApp", {
      serviceToken: handler.functionArn,
      resourceType: "Custom::MlflowApp",
      properties: { Name: name, ArtifactStoreUri: artifacts.s3UrlForObject(), RoleArn: role.roleArn },
    });
    return app.getAttString("Arn");
  }
}

// The four stacks in one of two modes: `-c mlflowType=tracking` or `serverless`.

import { App, Tags } from "aws-cdk-lib";

import { DomainStack } from "../lib/domain-stack";
import { MlflowStack, isMlflowType } from "../lib/mlflow-stack";
import { NetworkingStack } from "../lib/networking-stack";
import { ProxyStack } from "../lib/proxy-stack";

const app = new App();
const prefix: string = app.node.tryGetContext("prefix") ?? "sagemaker-infra";
const mlflowType: unknown = app.node.tryGetContext("mlflowType");
if (!isMlflowType(mlflowType)) {
  throw new Error(`mlflowType is tracking or serverless, not ${mlflowType}`);
}

const networking = new NetworkingStack(app, `${prefix}-networking`, {
  natGateways: Number(app.node.tryGetContext("natGateways") ?? 1),
});
const { vpc, studioGroup, loadBalancerGroup, proxyGroup } = networking;
const domain = new DomainStack(app, `${prefix}-sagemaker-domain`, { vpc, studioGroup });
const mlflow = new MlflowStack(app, `${prefix}-mlflow-${mlflowType}`, { mlflowType });
mlflow.addStackDependency(domain);
new ProxyStack(app, `${prefix}-proxyapp-${mlflowType}`, {
  vpc,
  loadBalancerGroup,
  proxyGroup,
  mlflowArn: mlflow.mlflowArn,
});
Tags.of(app).add("project", "mlflow-platform");

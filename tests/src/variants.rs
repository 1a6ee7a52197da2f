//! The ways to put the platform together that every golden test and every judge goes through.

use std::collections::BTreeMap;

use formwork::{App, AppProps, Context, Environment, Synthesis, SynthesisError};
use serde_json::Value as Json;

/// The regions that templates are judged in. The last one lacks `AWS::SageMaker::MlflowApp`.
pub const REGIONS: [&str; 5] =
    ["us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1", REGION_WITHOUT_APPS];

/// A region in which the native type of the serverless app is not there.
pub const REGION_WITHOUT_APPS: &str = "af-south-1";

/// One way to put the platform together.
#[derive(Clone, Debug)]
pub struct Variant {
    /// The name, which is also that of its folder of golden templates.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// The context.
    pub context: &'static [(&'static str, &'static str)],
}

const CERTIFICATE: (&str, &str) =
    ("certificateArn", "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012");
const KEY: (&str, &str) =
    ("kmsKeyArn", "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012");
const METAFLOW: (&str, &str) = ("components", "metaflow");
const CLIENT_SECRET: (&str, &str) =
    ("oidcClientSecretArn", "arn:aws:secretsmanager:us-east-1:123456789012:secret:mlflow-sign-in-AbCdEf");
const SERVERLESS: (&str, &str) = ("mlflowType", "serverless");

/// All variants; the first is what one gets without any setting.
pub const VARIANTS: &[Variant] = &[
    Variant { name: "tracking", about: "no setting at all", context: &[] },
    Variant { name: "serverless", about: "the native serverless app", context: &[SERVERLESS] },
    Variant {
        name: "serverless-custom",
        about: "the serverless app by the custom resource",
        context: &[SERVERLESS, ("provisioner", "custom")],
    },
    Variant {
        name: "serverless-key",
        about: "a customer's key, which the native type does not take",
        context: &[SERVERLESS, KEY],
    },
    Variant { name: "tracking-key", about: "a customer's key", context: &[KEY] },
    Variant {
        name: "public",
        about: "a public proxy with a certificate that exists",
        context: &[("proxyExposure", "public"), CERTIFICATE, ("allowCidrs", "203.0.113.0/24")],
    },
    Variant {
        name: "public-name",
        about: "a public proxy with a name, whose certificate is made, behind a web application firewall",
        context: &[
            ("proxyExposure", "public"),
            ("domainName", "mlflow.example.com"),
            ("hostedZoneId", "Z0123456789ABCDEFGHIJ"),
            ("allowCidrs", "203.0.113.0/24,198.51.100.0/24"),
            ("waf", "true"),
        ],
    },
    Variant {
        name: "single",
        about: "one instance as the sample has it",
        context: &[("proxyCompute", "single")],
    },
    Variant {
        name: "existing-vpc",
        about: "a VPC and subnets that exist",
        context: &[
            ("vpcId", "vpc-0123456789abcdef0"),
            ("subnetIds", "subnet-0123456789abcdef0,subnet-0123456789abcdef1"),
            ("allowCidrs", "10.0.0.0/8"),
        ],
    },
    Variant {
        name: "no-nat",
        about: "no way out but endpoints",
        context: &[("natGateways", "0"), ("endpoints", "studio")],
    },
    Variant {
        name: "production",
        about: "the production profile, whose alarms tell a topic",
        context: &[
            ("profile", "production"),
            ("alarmTopicArn", "arn:aws:sns:us-east-1:123456789012:operators"),
        ],
    },
    Variant {
        name: "jwt",
        about: "a proxy that takes the tokens of an issuer",
        context: &[
            ("proxyAuth", "jwt"),
            ("jwtIssuer", "https://login.example.com/tenant"),
            ("jwtAudience", "mlflow"),
            ("jwtWriterGroups", "science,ci"),
            ("jwtAdminGroups", "platform"),
        ],
    },
    Variant {
        name: "sign-in",
        about: "a public proxy on which people sign in at the load balancer, and machines show a token of the issuer",
        context: &[
            ("proxyExposure", "public"),
            CERTIFICATE,
            ("allowCidrs", "203.0.113.0/24"),
            ("proxyAuth", "jwt"),
            ("jwtIssuer", "https://login.example.com/tenant"),
            ("jwtAudience", "mlflow"),
            ("oidcIssuer", "https://login.example.com/tenant"),
            ("oidcAuthorizationEndpoint", "https://login.example.com/tenant/authorize"),
            ("oidcTokenEndpoint", "https://login.example.com/tenant/token"),
            ("oidcUserInfoEndpoint", "https://login.example.com/tenant/userinfo"),
            ("oidcClientId", "mlflow-browsers"),
            CLIENT_SECRET,
            ("oidcClientSecretField", "client_secret"),
        ],
    },
    Variant {
        name: "server",
        about: "a self-hosted MLflow server with users of its own, inside the VPC",
        context: &[("components", "mlflow-server")],
    },
    Variant {
        name: "server-public",
        about: "a public self-hosted server with a name, for production, with a key of the customer",
        context: &[
            ("components", "mlflow-server"),
            ("profile", "production"),
            ("serverExposure", "public"),
            ("domainName", "mlflow.example.com"),
            ("hostedZoneId", "Z0123456789ABCDEFGHIJ"),
            ("allowCidrs", "203.0.113.0/24"),
            ("alarmTopicArn", "arn:aws:sns:us-east-1:123456789012:operators"),
            KEY,
        ],
    },
    Variant {
        name: "server-oidc",
        about: "a self-hosted server on ARM processors behind a sign-in, whose clients move artifacts themselves",
        context: &[
            ("components", "mlflow-server"),
            ("serverExposure", "public"),
            CERTIFICATE,
            ("allowCidrs", "203.0.113.0/24"),
            ("serverAuth", "oidc"),
            ("serverArtifacts", "direct"),
            ("serverImage", "123456789012.dkr.ecr.us-east-1.amazonaws.com/mlflow:3.17.2"),
            ("arch", "arm64"),
            ("oidcIssuer", "https://login.example.com/tenant"),
            ("oidcAuthorizationEndpoint", "https://login.example.com/tenant/authorize"),
            ("oidcTokenEndpoint", "https://login.example.com/tenant/token"),
            ("oidcUserInfoEndpoint", "https://login.example.com/tenant/userinfo"),
            ("oidcJwksEndpoint", "https://login.example.com/tenant/keys"),
            ("oidcAudience", "mlflow"),
            ("oidcClientId", "mlflow-browsers"),
            CLIENT_SECRET,
        ],
    },
    Variant { name: "arm64", about: "instances with ARM processors", context: &[("arch", "arm64")] },
    Variant {
        name: "weak",
        about: "values read from outputs",
        context: &[SERVERLESS, ("crossStackReferences", "weak")],
    },
    Variant {
        name: "proxy-only",
        about: "the proxy alone, in front of an app that exists",
        context: &[
            ("components", "proxy"),
            ("mlflowArn", "arn:aws:sagemaker:us-east-1:123456789012:mlflow-app/app-ABCDEFGHIJKL"),
            ("artifactBucket", "artifacts-of-the-app"),
        ],
    },
    Variant {
        name: "existing-bucket",
        about: "a bucket that exists for the artifacts, and the key that encrypts it",
        context: &[("artifactBucket", "artifacts-of-the-team"), ("artifactPrefix", "team/runs"), KEY],
    },
    Variant {
        name: "existing-server",
        about: "Studio and the proxy in front of a tracking server that exists",
        context: &[
            ("mlflowArn", "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/team"),
            ("artifactBucket", "artifacts-of-the-team"),
            KEY,
        ],
    },
    Variant {
        name: "existing-all",
        about: "the access of an existing Studio domain to an app that exists, and nothing else",
        context: &[
            ("components", "mlflow"),
            ("mlflowArn", "arn:aws:sagemaker:us-east-1:123456789012:mlflow-app/app-ABCDEFGHIJKL"),
            ("artifactBucket", "artifacts-of-the-app"),
            ("domainId", "d-abcdefghijkl"),
            ("domainRole", "StudioUsers"),
            ("vpcId", "vpc-0123456789abcdef0"),
            ("subnetIds", "subnet-0123456789abcdef0,subnet-0123456789abcdef1"),
        ],
    },
    Variant {
        name: "own-tags",
        about: "tags of the operator, MLflow that goes with its stack, and all that can be said about buckets",
        context: &[
            ("tags", "team=data,cost-center=42"),
            ("mlflowRemoval", "delete"),
            ("abortUploadsDays", "3"),
            ("noncurrentVersionDays", "30"),
            ("intelligentTieringDays", "60"),
            ("accessLogBucket", "access-logs-of-the-team"),
        ],
    },
    Variant {
        name: "cdk-assets",
        about: "assets in the bucket of the CDK's bootstrap stack",
        context: &[SERVERLESS, ("provisioner", "custom"), ("assets", "cdk")],
    },
    Variant {
        name: "boundary",
        about: "a permissions boundary, and no components but MLflow",
        context: &[("permissionsBoundary", "platform-boundary"), ("components", "mlflow")],
    },
    Variant {
        name: "s3-only",
        about: "a bucket and its key for an app outside of AWS",
        context: &[("components", "s3-only")],
    },
    Variant { name: "metaflow", about: "Metaflow alone, with its usual parts", context: &[METAFLOW] },
    Variant {
        name: "metaflow-everything",
        about: "all that Metaflow can have",
        context: &[
            METAFLOW,
            ("metaflowParts", "datastore,metadata,compute,step-functions,ui,notebook"),
            ("metaflowUiDomainName", "metaflow.example.com"),
            ("metaflowUiExposure", "public"),
            ("metaflowDatabaseClass", "db.m6g.large"),
            ("hostedZoneId", "Z0123456789ABCDEFGHIJ"),
            ("waf", "true"),
            ("metaflowCompute", "ec2,spot,fargate,gpu"),
            ("metaflowInstanceTypes", "m7i,r7i.4xlarge"),
            ("metaflowGpuTypes", "g5.xlarge"),
            ("metaflowMaxVcpus", "256"),
            ("metaflowImage", "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"),
            ("metaflowWorkerPolicies", "arn:aws:iam::123456789012:policy/read-the-lake"),
            ("metaflowPrincipals", "arn:aws:iam::123456789012:role/Scientists"),
            ("metaflowApi", "public"),
            ("allowCidrs", "203.0.113.0/24"),
            ("alarmTopicArn", "arn:aws:sns:us-east-1:123456789012:operators"),
            KEY,
        ],
    },
    Variant {
        name: "metaflow-fargate",
        about: "steps on Fargate alone, and a private API",
        context: &[METAFLOW, ("metaflowCompute", "fargate"), ("metaflowApi", "private")],
    },
    Variant {
        name: "metaflow-datastore",
        about: "a datastore to share, and nothing else of Metaflow",
        context: &[METAFLOW, ("metaflowParts", "datastore")],
    },
    Variant {
        name: "metaflow-existing",
        about: "Metaflow in a VPC and on a bucket that exist",
        context: &[
            METAFLOW,
            ("metaflowBucket", "flows-of-the-team"),
            ("vpcId", "vpc-0123456789abcdef0"),
            ("subnetIds", "subnet-0123456789abcdef0,subnet-0123456789abcdef1"),
            ("vpcCidr", "10.0.0.0/16"),
        ],
    },
];

impl Variant {
    /// Whether it has resources of the type that [`REGION_WITHOUT_APPS`] lacks.
    pub fn has_native_app(&self) -> bool {
        let value = |key| self.context.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        value("mlflowType") == Some("serverless")
            && value("provisioner") != Some("custom")
            && value("kmsKeyArn").is_none()
            && value("mlflowArn").is_none()
    }

    /// The regions in which it can be deployed.
    pub fn regions(&self) -> Vec<&'static str> {
        REGIONS
            .into_iter()
            .filter(|region| *region != REGION_WITHOUT_APPS || !self.has_native_app())
            .collect()
    }

    /// Synthesises it for a region, or for any.
    ///
    /// # Errors
    /// What synthesis found.
    pub fn synth(&self, region: Option<&str>) -> Result<Synthesis, SynthesisError> {
        let mut context = Context::new();
        for (key, value) in self.context {
            // A key and a certificate have to lie in the region of the stacks; a server may be in another one.
            let value = match region {
                Some(region) if matches!(*key, "kmsKeyArn" | "certificateArn" | "alarmTopicArn") => {
                    value.replace("us-east-1", region)
                }
                _ => (*value).to_owned(),
            };
            context.set(*key, value, "-c");
        }
        let environment = Environment { account: None, region: region.map(str::to_owned) };
        let app = App::new(AppProps { context, environment });
        formwork_ml_platform::build(&app);
        app.synth()
    }

    /// The templates by the id of their stack, as text.
    ///
    /// # Errors
    /// What synthesis found.
    pub fn templates(&self, region: Option<&str>) -> Result<BTreeMap<String, String>, SynthesisError> {
        let synthesis = self.synth(region)?;
        let text = |id: &str| {
            let bytes =
                synthesis.files.get(&format!("{id}.template.json")).expect("a template for each stack");
            String::from_utf8(bytes.to_vec()).expect("templates are UTF-8")
        };
        Ok(synthesis.stacks.iter().map(|stack| (stack.id.clone(), text(&stack.id))).collect())
    }
}

/// The templates of several variants as JSON, for tests over all of them.
///
/// # Panics
/// When a variant has mistakes.
pub fn all_templates() -> Vec<(&'static str, String, Json)> {
    let mut all = Vec::new();
    for variant in VARIANTS {
        let templates = variant
            .templates(None)
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", variant.name, shown(&error)));
        for (stack, text) in templates {
            all.push((variant.name, stack, serde_json::from_str(&text).expect("templates are JSON")));
        }
    }
    all
}

/// The findings of a failed synthesis, for people.
pub fn shown(error: &SynthesisError) -> String {
    error.diagnostics.iter().map(|diagnostic| format!("{diagnostic}\n\n")).collect()
}

//! Settings that would be ignored without a word: who sets one expects something of it.

use formwork_library::load_balancer::Exposure;
use formwork_library::managed_mlflow::{MlflowType, Provisioner};
use formwork_library::mlflow_server::ServerAuthentication;
use formwork_library::proxy_app::{ProxyAuthentication, ProxyCompute};

use super::Review;
use crate::settings::{Component, MetaflowPart};

/// When keys are of no use.
struct Rule {
    /// Whether that is so now.
    holds: bool,
    /// The keys.
    keys: &'static [&'static str],
    /// Why, behind "KEY is set, but".
    because: &'static str,
    /// What to do instead.
    hint: &'static str,
}

fn rules(review: &Review<'_>) -> Vec<Rule> {
    let settings = review.settings;
    let has_proxy = settings.has(Component::Proxy);
    let has_server = settings.has(Component::MlflowServer);
    let people_sign_in = has_proxy && settings.proxy_auth == ProxyAuthentication::Jwt
        || has_server && review.server.server_auth == ServerAuthentication::Oidc
        || settings.has(Component::Metaflow) && review.metaflow.has(MetaflowPart::Ui);
    let makes_mlflow = settings.mlflow_arn.is_none();
    let is_app = settings.kind() == MlflowType::Serverless;
    let makes_artifact_bucket = makes_mlflow && settings.artifact_bucket.is_none();
    let makes_bucket = has_server
        || review.makes_metaflow_bucket()
        || settings.has(Component::S3Only)
        || settings.has(Component::Mlflow) && (makes_artifact_bucket || settings.domain_id.is_none());
    vec![
        Rule {
            holds: !makes_bucket,
            keys: &["abortUploadsDays", "noncurrentVersionDays", "intelligentTieringDays", "accessLogBucket"],
            because: "no bucket is made that it could be about",
            hint: "leave it out, or leave artifactBucket or domainId out to have a bucket made",
        },
        Rule {
            holds: !settings.has(Component::S3Only),
            keys: &["s3OnlyPrefix", "s3OnlyKeySerial"],
            because: "components has no s3-only",
            hint: "add s3-only to components, or leave it out",
        },
        Rule {
            holds: settings.vpc_id.is_none(),
            keys: &["subnetIds", "publicSubnetIds", "vpcCidr"],
            because: "there is no vpcId that it belongs to",
            hint: "set vpcId to the VPC of the subnets; the block of a VPC that is made is set with cidr",
        },
        Rule {
            holds: settings.vpc_id.is_some(),
            keys: &[
                "cidr",
                "zones",
                "natGateways",
                "endpoints",
                "moreEndpoints",
                "withoutEndpoints",
                "endpointZones",
                "flowLogs",
            ],
            because: "the VPC of vpcId exists already and stays as it is",
            hint: "leave it out, or leave vpcId out to have a VPC made",
        },
        Rule {
            holds: settings.domain_id.is_none(),
            keys: &["domainRole"],
            because: "there is no domainId whose role it is",
            hint: "set domainId to the Studio domain that exists; a domain that is made gets a role of its own",
        },
        Rule {
            holds: settings.domain_id.is_some(),
            keys: &[
                "authMode",
                "userProfiles",
                "executionPolicy",
                "idleShutdownMinutes",
                "spaceStorageGib",
                "maxSpaceStorageGib",
                "homeFileSystem",
            ],
            because: "the Studio domain of domainId exists already and stays as it is",
            hint: "leave it out, or leave domainId out to have a domain made",
        },
        Rule {
            holds: !makes_mlflow,
            keys: &[
                "mlflowName",
                "mlflowSize",
                "mlflowVersion",
                "mlflowRemoval",
                "provisioner",
                "autoModelRegistration",
                "maintenanceWindow",
                "accountDefault",
                "defaultDomainIds",
            ],
            because: "mlflowArn names a tracking server or app that exists already and stays as it is",
            hint: "leave it out, or leave mlflowArn out to have one made",
        },
        Rule {
            holds: makes_mlflow && is_app,
            keys: &["mlflowSize"],
            because: "a serverless app has no size",
            hint: "leave it out, or use a tracking server (mlflowType=tracking)",
        },
        Rule {
            holds: makes_mlflow && !is_app && settings.provisioner == Provisioner::Custom,
            keys: &["provisioner"],
            because: "a tracking server is always made by its native type",
            hint: "leave it out, or use a serverless app (mlflowType=serverless)",
        },
        Rule {
            holds: has_proxy && settings.proxy_compute == ProxyCompute::Single,
            keys: &["minInstances", "maxInstances"],
            because: "proxyCompute=single is one instance",
            hint: "leave it out, or set proxyCompute=asg",
        },
        Rule {
            holds: has_proxy && settings.proxy_auth != ProxyAuthentication::Jwt,
            keys: &[
                "jwtIssuer",
                "jwtAudience",
                "jwtRolesClaim",
                "jwtAdminGroups",
                "jwtWriterGroups",
                "jwtReaderGroups",
            ],
            because: "the proxy takes no tokens of an issuer without proxyAuth=jwt",
            hint: "set proxyAuth=jwt, or leave it out",
        },
        Rule {
            holds: !people_sign_in,
            keys: &["oidcIssuer"],
            because: "nobody signs in at a load balancer without proxyAuth=jwt, serverAuth=oidc or Metaflow's ui",
            hint: "set one of them, or leave it out",
        },
        Rule {
            holds: has_proxy
                && !has_server
                && settings.allow_insecure
                && settings.proxy_exposure == Exposure::Internal
                && settings.proxy_auth != ProxyAuthentication::None,
            keys: &["allowInsecure"],
            because: "this proxy is internal and asks who comes",
            hint: "leave it out; an internal proxy may be without TLS",
        },
    ]
}

pub(super) fn check(review: &Review<'_>) {
    for rule in rules(review).into_iter().filter(|rule| rule.holds) {
        for key in rule.keys.iter().filter(|key| review.is_set(key)) {
            review.refuse(format!("{key} is set, but {}", rule.because), rule.hint);
        }
    }
}

mod metaflow;

use formwork::{App, AppProps, Context, Environment, Severity};

use super::forms;

/// The errors of a platform with settings, in a region.
fn errors_in(region: Option<&str>, settings: &[(&str, &str)]) -> Vec<String> {
    let mut context = Context::new();
    for (key, value) in settings {
        context.set(*key, *value, "-c");
    }
    let environment = Environment { account: None, region: region.map(str::to_owned) };
    let app = App::new(AppProps { context, environment });
    crate::build(&app);
    let diagnostics = match app.synth() {
        Ok(synthesis) => synthesis.diagnostics,
        Err(error) => error.diagnostics,
    };
    let errors = diagnostics.into_iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    errors
        .map(|error| {
            assert!(error.rule != "context-settings" || error.hint.is_some(), "{} has a hint", error.message);
            error.message
        })
        .collect()
}

fn errors(settings: &[(&str, &str)]) -> Vec<String> {
    errors_in(None, settings)
}

#[track_caller]
fn is_taken(settings: &[(&str, &str)]) {
    assert_eq!(errors(settings), Vec::<String>::new(), "{settings:?}");
}

/// The settings have exactly one mistake, and its message begins with the text.
#[track_caller]
fn is_refused_once(settings: &[(&str, &str)], beginning: &str) {
    let found = errors(settings);
    assert!(found.len() == 1 && found[0].starts_with(beginning), "{settings:?}: {found:#?}");
}

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012";
const SERVER: &str = "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/team";

#[test]
fn a_bucket_that_exists_goes_with_a_key() {
    is_taken(&[("artifactBucket", "artifacts"), ("kmsKeyArn", KEY)]);
    is_taken(&[("artifactBucket", "artifacts"), ("kmsKeyArn", KEY), ("mlflowType", "serverless")]);
}

#[test]
fn a_server_that_exists_is_opened_to_studio_and_otherwise_left_alone() {
    let server = ("mlflowArn", SERVER);
    is_taken(&[server]);
    is_taken(&[
        server,
        ("components", "mlflow"),
        ("domainId", "d-abcdefghijkl"),
        ("domainRole", "StudioUsers"),
        ("artifactBucket", "artifacts"),
    ]);
    is_refused_once(
        &[server, ("components", "mlflow"), ("domainId", "d-abcdefghijkl")],
        "mlflowArn and domainId both name what exists",
    );
    for (key, value) in [
        ("mlflowName", "team"),
        ("mlflowSize", "small"),
        ("mlflowVersion", "3.0"),
        ("mlflowRemoval", "keep"),
        ("provisioner", "auto"),
        ("maintenanceWindow", "Tue:03:30"),
        ("accountDefault", "true"),
        ("defaultDomainIds", "d-abcdefghijkl"),
    ] {
        is_refused_once(&[server, (key, value)], &format!("{key} is set, but mlflowArn names"));
    }
    is_refused_once(&[server, ("mlflowType", "serverless")], "mlflowType is serverless, but mlflowArn names");
}

#[test]
fn what_would_be_ignored_is_refused() {
    let network = [
        ("vpcId", "vpc-0123456789abcdef0"),
        ("subnetIds", "subnet-0123456789abcdef0,subnet-0123456789abcdef1"),
        ("vpcCidr", "10.0.0.0/16"),
    ];
    is_taken(&network);
    for (key, value) in [
        ("cidr", "10.20.0.0/16"),
        ("zones", "2"),
        ("natGateways", "1"),
        ("endpoints", "minimal"),
        ("moreEndpoints", "sagemaker-api"),
        ("withoutEndpoints", "sagemaker-api"),
        ("endpointZones", "1"),
        ("flowLogs", "all"),
    ] {
        let settings: Vec<_> = network.into_iter().chain([(key, value)]).collect();
        let found = errors(&settings);
        assert!(found.iter().any(|error| error.starts_with(&format!("{key} is set, but"))), "{found:#?}");
    }
    for (settings, key) in [
        (&[("subnetIds", "subnet-0123456789abcdef0")][..], "subnetIds"),
        (&[("domainRole", "StudioUsers")], "domainRole"),
        (&[("domainId", "d-abcdefghijkl"), ("homeFileSystem", "true")], "homeFileSystem"),
        (&[("proxyCompute", "single"), ("minInstances", "1")], "minInstances"),
        (&[("proxyCompute", "single"), ("maxInstances", "3")], "maxInstances"),
        (&[("mlflowType", "serverless"), ("mlflowSize", "small")], "mlflowSize"),
        (&[("provisioner", "custom")], "provisioner"),
        (&[("jwtIssuer", "https://login.example.com")], "jwtIssuer"),
        (&[("jwtAudience", "mlflow")], "jwtAudience"),
        (&[("allowInsecure", "true")], "allowInsecure"),
        (
            &[
                ("domainId", "d-abcdefghijkl"),
                ("artifactBucket", "artifacts"),
                ("accessLogBucket", "logs-of-the-team"),
            ],
            "accessLogBucket",
        ),
    ] {
        is_refused_once(settings, &format!("{key} is set, but"));
    }
    let versions = errors(&[("mlflowType", "serverless"), ("mlflowVersion", "3.0")]);
    assert_eq!(versions.len(), 1, "{versions:#?}");
}

#[test]
fn wrong_forms_are_told_once_and_by_their_key() {
    let long_prefix = "a".repeat(57);
    for (key, value) in [
        ("prefix", long_prefix.as_str()),
        ("prefix", "1st"),
        ("prefix", "team_a"),
        ("tags", "aws:team=data"),
        ("tags", "team=data;x"),
        ("domainId", "D-ABC"),
        ("mlflowName", "team_a"),
        ("artifactBucket", "s3://artifacts"),
        ("artifactPrefix", "a*"),
        ("kmsKeyArn", "alias/platform"),
        ("kmsKeyArn", "arn:aws:kms:us-east-1:123456789012:alias/platform"),
        ("logRetentionDays", "31"),
        ("abortUploadsDays", "0"),
        ("noncurrentVersionDays", "-1"),
        ("intelligentTieringDays", "-1"),
        ("accessLogBucket", "Logs"),
        ("hostedZoneId", "/hostedzone/Z1"),
        ("instanceType", "small"),
        ("instanceType", "t4g.small"),
    ] {
        let settings: Vec<_> = match key {
            "hostedZoneId" => vec![(key, value), ("domainName", "mlflow.example.com")],
            _ => vec![(key, value)],
        };
        is_refused_once(&settings, key);
    }
    is_refused_once(&[("domainId", "d-abcdefghijkl"), ("domainRole", " ")], "domainRole is ` `");
    is_refused_once(
        &[("mlflowType", "serverless"), ("defaultDomainIds", "d-abcdefghijkl,x")],
        "defaultDomainIds has `x`",
    );
    is_refused_once(&[("arch", "arm64"), ("instanceType", "t3.small")], "instanceType is t3.small");
    is_refused_once(&[("allowCidrs", "10.0.0.0/8,10.0.0.0/8")], "allowCidrs has `10.0.0.0/8` twice");
    for name in ["*.example.com", "mlflow.example.com.", "MLflow.example.com", "localhost", "10.0.0.1"] {
        is_refused_once(
            &[("domainName", name), ("hostedZoneId", "Z0123456789ABC")],
            &format!("domainName is `{name}`"),
        );
    }
    for (issuer, audience, beginning) in [
        ("http://login.example.com", "mlflow", "jwtIssuer is"),
        ("https://login.example.com\nX=1", "mlflow", "jwtIssuer is"),
        ("https://login.example.com", "a\"b", "jwtAudience is"),
        ("https://login.example.com", "", "jwtAudience is"),
    ] {
        is_refused_once(&[("proxyAuth", "jwt"), ("jwtIssuer", issuer), ("jwtAudience", audience)], beginning);
    }
}

#[test]
fn mistakes_are_told_together() {
    let found = errors(&[
        ("logRetentionDays", "31"),
        ("kmsKeyArn", "x"),
        ("domainRole", "a"),
        ("artifactBucket", "A"),
    ]);
    assert_eq!(found.len(), 4, "{found:#?}");
}

#[test]
fn keys_and_certificates_are_of_the_region_of_the_stacks() {
    let certificate = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012";
    let topic = "arn:aws:sns:us-east-1:123456789012:operators";
    for setting in [("kmsKeyArn", KEY), ("certificateArn", certificate), ("alarmTopicArn", topic)] {
        assert_eq!(errors_in(Some("us-east-1"), &[setting]), Vec::<String>::new());
        let found = errors_in(Some("eu-west-1"), &[setting]);
        let expected = format!("{} is in us-east-1, but the stacks are in eu-west-1", setting.0);
        assert_eq!(found, [expected]);
    }
    is_taken(&[("certificateArn", "arn:aws:iam::123456789012:server-certificate/team/proxy")]);
    is_refused_once(&[("certificateArn", "proxy")], "certificateArn is `proxy`");
}

#[test]
fn alarms_tell_a_topic_of_their_own_region() {
    let topic = "arn:aws:sns:us-east-1:123456789012:operators";
    is_taken(&[("alarmTopicArn", topic)]);
    for wrong in [
        "operators",
        "arn:aws:sns:us-east-1:123456789012:operators.fifo",
        "arn:aws:sqs:us-east-1:123456789012:q",
    ] {
        is_refused_once(&[("alarmTopicArn", wrong)], &format!("alarmTopicArn is `{wrong}`"));
    }
}

#[test]
fn groups_are_of_an_issuer_and_of_one_line() {
    let jwt =
        [("proxyAuth", "jwt"), ("jwtIssuer", "https://login.example.com/tenant"), ("jwtAudience", "mlflow")];
    let with = |key, value| [&jwt[..], &[(key, value)]].concat();
    is_taken(&with("jwtWriterGroups", "science,ci team"));
    is_taken(&with("jwtRolesClaim", "realm_access.roles"));
    is_refused_once(&with("jwtAdminGroups", "it's"), "jwtAdminGroups has \"it's\"");
    is_refused_once(&with("jwtRolesClaim", "a\"b"), "jwtRolesClaim is");
    is_refused_once(&[("jwtReaderGroups", "all")], "jwtReaderGroups is set, but");
}

#[test]
fn the_keys_of_a_sign_in_go_together() {
    let certificate = (
        "certificateArn",
        "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
    );
    let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:sign-in-AbCdEf";
    let all = [
        ("proxyAuth", "jwt"),
        ("jwtIssuer", "https://login.example.com"),
        ("jwtAudience", "mlflow"),
        certificate,
        ("oidcIssuer", "https://login.example.com"),
        ("oidcAuthorizationEndpoint", "https://login.example.com/authorize"),
        ("oidcTokenEndpoint", "https://login.example.com/token"),
        ("oidcUserInfoEndpoint", "https://login.example.com/userinfo"),
        ("oidcClientId", "mlflow"),
        ("oidcClientSecretArn", secret),
    ];
    is_taken(&all);
    is_refused_once(
        &all[..all.len() - 1],
        "the keys of a sign-in go together, and of them are missing: oidcClientSecretArn",
    );
    let with = |key, value| [&all[..], &[(key, value)]].concat();
    is_taken(&with("oidcClientSecretField", "client_secret"));
    is_refused_once(&with("oidcClientSecretField", "a:b"), "oidcClientSecretField is");
    is_refused_once(&with("oidcTokenEndpoint", "http://login.example.com/token"), "oidcTokenEndpoint is");
    is_refused_once(&with("oidcClientSecretArn", "sign-in"), "oidcClientSecretArn is `sign-in`");
    let without_tls: Vec<_> = all.iter().copied().filter(|setting| *setting != certificate).collect();
    is_refused_once(
        &without_tls,
        "people are to sign in to the MLflow proxy, but its load balancer has no HTTPS",
    );
}

#[test]
fn own_tags_are_on_every_stack_and_may_replace_the_platforms() {
    let context = Context::new().with("tags", "team=data,project=own");
    let app = App::new(AppProps { context, environment: Environment::default() });
    crate::build(&app);
    let synthesis = app.synth().expect("no mistakes");
    for stack in &synthesis.stacks {
        let text = synthesis.template(&stack.id).expect("a template").to_string();
        assert!(text.contains(r#"{"Key":"team","Value":"data"}"#), "{}", stack.id);
        assert!(text.contains(r#"{"Key":"project","Value":"own"}"#), "{}", stack.id);
    }
}

#[test]
fn removal_and_prefix_reach_the_server() {
    let context = Context::new().with("mlflowRemoval", "delete").with("artifactPrefix", "team/runs");
    let app = App::new(AppProps { context, environment: Environment::default() });
    crate::build(&app);
    let template =
        app.synth().expect("no mistakes").template("sagemaker-infra-mlflow-tracking").expect("a stack");
    let servers = template["Resources"].as_object().expect("resources").values();
    let server = servers
        .into_iter()
        .find(|resource| resource["Type"] == "AWS::SageMaker::MlflowTrackingServer")
        .expect("a server");
    assert_eq!(server["DeletionPolicy"], "Delete");
    assert!(server["Properties"]["ArtifactStoreUri"].to_string().contains("team/runs"), "{server}");
}

#[test]
fn processors_are_told_from_the_instance_type() {
    for arm in [
        "t4g.small",
        "m7g.large",
        "c7gn.medium",
        "r8gd.xlarge",
        "x2gd.medium",
        "im4gn.large",
        "is4gen.medium",
        "a1.large",
        "hpc7g.4xlarge",
        "g5g.xlarge",
        "m7g.metal",
    ] {
        assert_eq!(forms::is_arm(arm), Some(true), "{arm}");
    }
    for x86 in
        ["t3.small", "m7i-flex.large", "g5.xlarge", "gr6.4xlarge", "c6a.large", "g4dn.xlarge", "u-6tb1.metal"]
    {
        assert_eq!(forms::is_arm(x86), Some(false), "{x86}");
    }
    for none in ["small", "t3.", ".small", "T3.small", "t3.small\n"] {
        assert_eq!(forms::is_arm(none), None, "{none}");
    }
}

#[test]
fn bucket_names_follow_the_rules_of_s3() {
    for right in ["abc", "artifacts-of-the-app", "a.b-c.1"] {
        assert!(forms::is_bucket_name(right), "{right}");
    }
    for wrong in ["ab", "Abc", "a..b", "-abc", "abc.", "192.168.0.1", "xn--abc", "abc-s3alias", "a_b"] {
        assert!(!forms::is_bucket_name(wrong), "{wrong}");
    }
}

#[test]
fn a_domain_that_exists_needs_no_network_of_ours() {
    let stacks = |settings: &[(&str, &str)]| -> Vec<String> {
        let mut context = Context::new();
        for (key, value) in settings {
            context.set(*key, *value, "-c");
        }
        let app = App::new(AppProps { context, ..AppProps::default() });
        crate::build(&app);
        app.synth().expect("no mistakes").stacks.into_iter().map(|stack| stack.id).collect()
    };
    assert_eq!(
        stacks(&[("components", "mlflow"), ("domainId", "d-abcdefghijkl")]),
        ["sagemaker-infra-mlflow-tracking"]
    );
    assert_eq!(
        stacks(&[("domainId", "d-abcdefghijkl")]),
        [
            "sagemaker-infra-networking",
            "sagemaker-infra-mlflow-tracking",
            "sagemaker-infra-proxyapp-tracking"
        ]
    );
}

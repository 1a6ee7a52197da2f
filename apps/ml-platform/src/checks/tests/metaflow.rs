//! Settings of Metaflow that cannot be meant.

use super::{errors, is_refused_once, is_taken};

const METAFLOW: (&str, &str) = ("components", "metaflow");

/// Metaflow with further settings.
fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[METAFLOW], more].concat()
}

const UI: [(&str, &str); 3] = [
    ("metaflowParts", "datastore,metadata,ui"),
    ("metaflowUiDomainName", "metaflow.example.com"),
    ("hostedZoneId", "Z0123456789ABC"),
];

#[test]
fn any_parts_that_can_work_together_are_taken() {
    for parts in [
        "datastore",
        "metadata",
        "datastore,metadata",
        "datastore,compute",
        "datastore,compute,step-functions",
        "metadata,notebook",
        "datastore,metadata,compute,step-functions,notebook",
    ] {
        is_taken(&with(&[("metaflowParts", parts)]));
    }
    is_taken(&with(&UI));
    for kinds in ["fargate", "ec2,spot,fargate,gpu", "gpu"] {
        is_taken(&with(&[("metaflowCompute", kinds)]));
    }
    is_taken(&with(&[("metaflowInstanceTypes", "c7g,m7g.large"), ("metaflowCompute", "spot")]));
    is_taken(&with(&[("metaflowBucket", "flows"), ("metaflowPrincipals", "arn:aws:iam::123456789012:root")]));
    is_taken(&[("components", "mlflow,proxy,metaflow")]);
}

#[test]
fn parts_that_lack_another_are_refused_once() {
    for (parts, beginning) in [
        ("compute", "metaflowParts has compute, but not datastore"),
        ("datastore,step-functions", "metaflowParts has step-functions, but not compute"),
        ("datastore,metadata,ui", "metaflowParts has ui, but there is no metaflowUiDomainName"),
    ] {
        is_refused_once(&with(&[("metaflowParts", parts)]), beginning);
    }
    is_refused_once(
        &with(&[("metaflowParts", "metadata,ui"), UI[1], UI[2]]),
        "metaflowParts has ui, but not datastore",
    );
    is_refused_once(
        &with(&[UI[0], UI[1]]),
        "metaflowUiDomainName is set, but neither metaflowUiCertificateArn nor hostedZoneId",
    );
    is_refused_once(
        &with(&[UI[0], UI[1], UI[2], ("metaflowUiExposure", "public")]),
        "metaflowUiExposure is public, but allowCidrs",
    );
    is_refused_once(
        &with(&[("metaflowParts", "datastore"), ("metaflowBucket", "flows")]),
        "metaflowParts has the datastore alone, and metaflowBucket exists",
    );
    is_refused_once(&with(&[("metaflowApi", "public")]), "metaflowApi is public, but allowCidrs");
    is_refused_once(
        &with(&[("metaflowParts", "datastore"), ("metaflowApi", "private")]),
        "metaflowApi leads to the metadata service",
    );
}

#[test]
fn values_that_aws_refuses_are_told_by_their_key() {
    for (key, value, beginning) in [
        ("metaflowCompute", "ec2,ec2", "metaflowCompute has `ec2` twice"),
        ("metaflowMaxVcpus", "0", "metaflowMaxVcpus is 0"),
        ("metaflowInstanceTypes", "large", "metaflowInstanceTypes has `large`"),
        ("metaflowInstanceTypes", "m6i,m7g", "metaflowInstanceTypes has m6i, m7g of two"),
        ("metaflowWorkerPolicies", "read-the-lake", "metaflowWorkerPolicies has `read-the-lake`"),
        ("metaflowPrincipals", "*", "metaflowPrincipals has `*`"),
        ("metaflowPrincipals", "arn:aws:iam::123456789012:role/*", "metaflowPrincipals has"),
        ("metaflowBucket", "s3://flows", "metaflowBucket is `s3://flows`"),
        ("metaflowImage", "\"x\"", "metaflowImage is"),
        ("metaflowDatabaseClass", "t3.small", "metaflowDatabaseClass is `t3.small`"),
    ] {
        is_refused_once(&with(&[(key, value)]), beginning);
    }
    is_refused_once(
        &with(&[("metaflowParts", "metadata,notebook"), ("metaflowNotebookType", "t3.medium")]),
        "metaflowNotebookType is `t3.medium`",
    );
}

#[test]
fn what_would_be_ignored_is_told() {
    is_refused_once(&[("metaflowApi", "private")], "metaflowApi is set, but components has no metaflow");
    for (parts, key, value) in [
        ("metadata", "metaflowBucket", "flows"),
        ("datastore", "metaflowCompute", "ec2"),
        ("datastore", "metaflowWorkerPolicies", "arn:aws:iam::aws:policy/x"),
        ("datastore", "metaflowNotebookType", "ml.t3.medium"),
        ("datastore", "metaflowDatabaseClass", "db.t4g.small"),
        ("datastore", "metaflowUiDomainName", "metaflow.example.com"),
    ] {
        is_refused_once(
            &with(&[("metaflowParts", parts), (key, value)]),
            &format!("{key} is set, but metaflowParts has no"),
        );
    }
    is_refused_once(
        &with(&[("metaflowGpuTypes", "g5")]),
        "metaflowGpuTypes is set, but metaflowCompute has no gpu",
    );
    is_refused_once(
        &with(&[("metaflowCompute", "fargate"), ("metaflowInstanceTypes", "m6i")]),
        "metaflowInstanceTypes is set, but metaflowCompute has no ec2 or spot",
    );
    // The buckets' settings are about the datastore too.
    is_taken(&with(&[("abortUploadsDays", "3")]));
    let none = errors(&with(&[("metaflowBucket", "flows"), ("abortUploadsDays", "3")]));
    assert_eq!(none.len(), 1, "{none:#?}");
}

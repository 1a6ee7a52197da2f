//! What Metaflow cannot be made of, and keys of it that would be ignored.

use formwork_library::load_balancer::Exposure;
use formwork_library::metaflow::ComputeKind;

use super::{Review, forms};
use crate::settings::{Component, MetaflowApi, MetaflowPart, MetaflowSettings};

/// All keys of Metaflow.
const KEYS: [&str; 15] = [
    "metaflowParts",
    "metaflowCompute",
    "metaflowInstanceTypes",
    "metaflowGpuTypes",
    "metaflowMaxVcpus",
    "metaflowImage",
    "metaflowWorkerPolicies",
    "metaflowPrincipals",
    "metaflowApi",
    "metaflowDatabaseClass",
    "metaflowBucket",
    "metaflowUiDomainName",
    "metaflowUiCertificateArn",
    "metaflowUiExposure",
    "metaflowNotebookType",
];

/// Reports what is wrong, and returns the settings with defaults in place of values that the construct would complain
/// about once more.
pub(super) fn check(review: &Review<'_>, mut own: MetaflowSettings) -> MetaflowSettings {
    if !review.settings.has(Component::Metaflow) {
        ignored(review, &KEYS, "components has no metaflow", "add metaflow to components, or leave it out");
        return MetaflowSettings::default();
    }
    check_parts(review, &mut own);
    check_names(review, &mut own);
    check_ignored(review, &own);
    own
}

fn ignored(review: &Review<'_>, keys: &[&str], because: &str, hint: &str) {
    for key in keys.iter().filter(|key| review.is_set(key)) {
        review.refuse(format!("{key} is set, but {because}"), hint);
    }
}

fn check_parts(review: &Review<'_>, own: &mut MetaflowSettings) {
    let usual = MetaflowSettings::default();
    if own.metaflow_parts.is_empty() {
        review.refuse(
            "metaflowParts is empty, so nothing of Metaflow is made",
            "name its parts, or leave it out",
        );
        own.metaflow_parts = usual.metaflow_parts;
    }
    let needs = [
        (MetaflowPart::Compute, "compute", MetaflowPart::Datastore, "datastore"),
        (MetaflowPart::StepFunctions, "step-functions", MetaflowPart::Compute, "compute"),
        (MetaflowPart::Ui, "ui", MetaflowPart::Datastore, "datastore"),
        (MetaflowPart::Ui, "ui", MetaflowPart::Metadata, "metadata"),
    ];
    for (part, name, needed, needed_name) in needs {
        if own.has(part) && !own.has(needed) {
            review.refuse(
                format!("metaflowParts has {name}, but not {needed_name}, which it needs"),
                &format!("add {needed_name} to metaflowParts, or leave {name} out"),
            );
            own.metaflow_parts.push(needed);
            if needed == MetaflowPart::Compute && !own.has(MetaflowPart::Datastore) {
                own.metaflow_parts.push(MetaflowPart::Datastore);
            }
        }
    }
    if own.metaflow_parts.iter().all(|part| *part == MetaflowPart::Datastore)
        && own.metaflow_bucket.is_some()
        && own.metaflow_principals.is_empty()
    {
        review.refuse(
            "metaflowParts has the datastore alone, and metaflowBucket exists already, so nothing is left to make",
            "add other parts to metaflowParts, or leave metaflowBucket out to have a bucket made",
        );
        own.metaflow_bucket = None;
    }
    check_ui(review, own);
    if own.has(MetaflowPart::Compute) && own.metaflow_compute.is_empty() {
        review.refuse(
            "metaflowCompute is empty, but metaflowParts has compute",
            "name what steps run on: ec2, spot, fargate, gpu",
        );
        own.metaflow_compute = usual.metaflow_compute;
    }
    let mut seen = Vec::new();
    for kind in std::mem::take(&mut own.metaflow_compute) {
        if seen.contains(&kind) {
            review.refuse(format!("metaflowCompute has `{}` twice", kind.name()), "name each kind once");
        } else {
            seen.push(kind);
        }
    }
    own.metaflow_compute = seen;
    if own.metaflow_max_vcpus == 0 {
        review.refuse("metaflowMaxVcpus is 0, so no step could run", "set it to 1 or more");
        own.metaflow_max_vcpus = usual.metaflow_max_vcpus;
    }
    if own.metaflow_api != MetaflowApi::None && !own.has(MetaflowPart::Metadata) {
        review.refuse(
            "metaflowApi leads to the metadata service, but metaflowParts has no metadata",
            "add metadata to metaflowParts, or leave metaflowApi out",
        );
        own.metaflow_api = MetaflowApi::None;
    }
    if own.metaflow_api == MetaflowApi::Public && review.settings.allow_cidrs.is_empty() {
        review.refuse(
            "metaflowApi is public, but allowCidrs names nobody who may connect",
            "name the address blocks of your people in allowCidrs",
        );
        own.metaflow_api = MetaflowApi::None;
    }
}

/// Pages without a name have no certificate, and pages without one would be read on their way.
fn check_ui(review: &Review<'_>, own: &mut MetaflowSettings) {
    let settings = review.settings;
    if !own.has(MetaflowPart::Ui) {
        return;
    }
    if own.metaflow_ui_domain_name.is_none() {
        review.refuse(
            "metaflowParts has ui, but there is no metaflowUiDomainName by which browsers reach it",
            "set metaflowUiDomainName, and hostedZoneId or metaflowUiCertificateArn to prove the name",
        );
    } else if own.metaflow_ui_certificate_arn.is_none() && settings.hosted_zone_id.is_none() {
        review.refuse(
            "metaflowUiDomainName is set, but neither metaflowUiCertificateArn nor hostedZoneId proves that it is yours",
            "name a certificate of it that exists, or the hosted zone in which one is made",
        );
        own.metaflow_ui_domain_name = None;
    } else if own.metaflow_ui_exposure == Exposure::Public && settings.allow_cidrs.is_empty() {
        review.refuse(
            "metaflowUiExposure is public, but allowCidrs names nobody who may connect",
            "name the address blocks of your people in allowCidrs",
        );
        own.metaflow_ui_domain_name = None;
    }
}

fn check_names(review: &Review<'_>, own: &mut MetaflowSettings) {
    type Form = fn(&str) -> bool;
    let lists: [(&str, &mut Vec<String>, Form, &str); 4] = [
        (
            "metaflowInstanceTypes",
            &mut own.metaflow_instance_types,
            forms::is_instance_type_or_family,
            "name types such as m6i.large or families such as m6i",
        ),
        (
            "metaflowGpuTypes",
            &mut own.metaflow_gpu_types,
            forms::is_instance_type_or_family,
            "name types such as g5.xlarge or families such as g5",
        ),
        (
            "metaflowWorkerPolicies",
            &mut own.metaflow_worker_policies,
            forms::is_managed_policy,
            "give the ARN of a managed policy, such as arn:aws:iam::aws:policy/AmazonAthenaFullAccess",
        ),
        (
            "metaflowPrincipals",
            &mut own.metaflow_principals,
            forms::is_principal,
            "give the ARN of a role, of a user or of an account's root, without wildcards",
        ),
    ];
    for (key, values, is_right, hint) in lists {
        for value in values.iter().filter(|value| !is_right(value)) {
            review.refuse(format!("{key} has `{value}`, which AWS does not take"), hint);
        }
        values.retain(|value| is_right(value));
    }
    let arm: Vec<bool> =
        own.metaflow_instance_types.iter().filter_map(|name| forms::is_arm_family(name)).collect();
    if arm.contains(&true) && arm.contains(&false) {
        review.refuse(
            format!(
                "metaflowInstanceTypes has {} of two processor architectures",
                own.metaflow_instance_types.join(", ")
            ),
            "name types of one architecture: an image of a container is made for one",
        );
    }
    let texts: [(&str, &mut Option<String>, Form, &str); 6] = [
        (
            "metaflowDatabaseClass",
            &mut own.metaflow_database_class,
            forms::is_database_class,
            "name a class such as db.t4g.small",
        ),
        (
            "metaflowBucket",
            &mut own.metaflow_bucket,
            forms::is_bucket_name,
            "give the name alone, without s3://: 3 to 63 lower-case letters, digits, dots and hyphens",
        ),
        (
            "metaflowImage",
            &mut own.metaflow_image,
            forms::is_image,
            "name an image with its registry, name and tag, such as python:3.12",
        ),
        (
            "metaflowUiDomainName",
            &mut own.metaflow_ui_domain_name,
            forms::is_dns_name,
            "write it as in metaflow.example.com: lower case, no wildcard, no dot at the end, no https://",
        ),
        (
            "metaflowUiCertificateArn",
            &mut own.metaflow_ui_certificate_arn,
            |arn| forms::certificate(arn).is_some(),
            "write it as in arn:aws:acm:us-east-1:111122223333:certificate/12345678-1234-1234-1234-123456789012",
        ),
        (
            "metaflowNotebookType",
            &mut own.metaflow_notebook_type,
            forms::is_notebook_type,
            "name a type such as ml.t3.medium",
        ),
    ];
    for (key, value, is_right, hint) in texts {
        if let Some(wrong) = value.take_if(|value| !is_right(value)) {
            review.refuse(format!("{key} is `{wrong}`, which AWS does not take"), hint);
        }
    }
}

fn check_ignored(review: &Review<'_>, own: &MetaflowSettings) {
    let without = |part: MetaflowPart, keys: &[&str], name: &str| {
        if !own.has(part) {
            let hint = format!("add {name} to metaflowParts, or leave it out");
            ignored(review, keys, &format!("metaflowParts has no {name}"), &hint);
        }
    };
    without(MetaflowPart::Datastore, &["metaflowBucket"], "datastore");
    without(
        MetaflowPart::Compute,
        &["metaflowCompute", "metaflowMaxVcpus", "metaflowImage", "metaflowWorkerPolicies"],
        "compute",
    );
    without(MetaflowPart::Notebook, &["metaflowNotebookType"], "notebook");
    without(MetaflowPart::Metadata, &["metaflowDatabaseClass"], "metadata");
    without(
        MetaflowPart::Ui,
        &["metaflowUiDomainName", "metaflowUiCertificateArn", "metaflowUiExposure"],
        "ui",
    );
    let runs_on = |kinds: &[ComputeKind]| {
        own.has(MetaflowPart::Compute) && kinds.iter().any(|kind| own.metaflow_compute.contains(kind))
    };
    for (kinds, key, names) in [
        (&[ComputeKind::Ec2, ComputeKind::Spot][..], "metaflowInstanceTypes", "ec2 or spot"),
        (&[ComputeKind::Gpu][..], "metaflowGpuTypes", "gpu"),
    ] {
        if !runs_on(kinds) {
            let because = format!("metaflowCompute has no {names} whose instances they would be");
            ignored(review, &[key], &because, "add it to metaflowCompute, or leave the types out");
        }
    }
}

//! The stack of Metaflow.

use formwork::{BucketName, CertificateArn, HostedZoneId, IntoValue, TopicArn};
use formwork_library::metaflow::{
    ComputeEnvironment, ComputeKind, ComputeProps, DatastoreProps, MetadataProps, Metaflow, MetaflowProps,
    NotebookProps, UiProps, UiSignIn, UserRoleProps,
};
use formwork_library::networking::Networking;
use formwork_library::storage::DataBucket;

use super::Platform;
use crate::settings::MetaflowPart;

impl Platform<'_, '_> {
    /// Metaflow in a network.
    pub(super) fn metaflow(&self, networking: &Networking) {
        let (settings, own) = (self.settings, self.metaflow);
        let stack =
            self.stack("metaflow", "Metaflow: its datastore, its service and what runs steps of flows");
        let key = self.key(stack);
        let existing = own.metaflow_bucket.clone().map(BucketName::literal);
        let datastore = DatastoreProps {
            existing: existing.map(|name| DataBucket::existing(&name, key.clone())),
            bucket: self.buckets(),
        };
        let has = |part| own.has(part);
        let props = MetaflowProps {
            datastore: has(MetaflowPart::Datastore).then_some(datastore),
            metadata: has(MetaflowPart::Metadata).then(|| self.metaflow_metadata()),
            api: own.metaflow_api.with_blocks(&settings.allow_cidrs),
            compute: has(MetaflowPart::Compute).then(|| self.metaflow_compute()),
            step_functions: has(MetaflowPart::StepFunctions),
            ui: own
                .metaflow_ui_domain_name
                .clone()
                .filter(|_| has(MetaflowPart::Ui))
                .map(|name| self.metaflow_ui(name)),
            notebook: has(MetaflowPart::Notebook).then(|| {
                let usual = NotebookProps::default();
                let instance_type = own.metaflow_notebook_type.clone().unwrap_or(usual.instance_type);
                NotebookProps { instance_type, ..NotebookProps::default() }
            }),
            user_role: (!own.metaflow_principals.is_empty()).then(|| UserRoleProps {
                principals: own.metaflow_principals.clone(),
                ..UserRoleProps::default()
            }),
            key,
            log_retention_days: self.log_retention_days(),
            alarm_topic: settings.alarm_topic_arn.clone().map(TopicArn::literal),
            ..MetaflowProps::new(networking)
        };
        Metaflow::new(stack, "Metaflow", &props);
    }

    /// The service and its database, as strong as the profile says.
    fn metaflow_metadata(&self) -> MetadataProps {
        let usual = MetadataProps::default();
        MetadataProps {
            desired: self.defaults.min_instances,
            database_class: self.metaflow.metaflow_database_class.clone().unwrap_or(usual.database_class),
            multi_az: self.defaults.database_in_two_zones,
            deletion_protection: self.deletion_protection(),
            ..MetadataProps::default()
        }
    }

    fn metaflow_ui(&self, name: String) -> UiProps {
        let (settings, own) = (self.settings, self.metaflow);
        UiProps {
            sign_in: self.provider().map_or(UiSignIn::Cognito, UiSignIn::Oidc),
            exposure: own.metaflow_ui_exposure,
            certificate: own.metaflow_ui_certificate_arn.clone().map(CertificateArn::literal),
            hosted_zone: settings.hosted_zone_id.clone().map(HostedZoneId::literal),
            allow_cidrs: settings.allow_cidrs.clone(),
            firewall: settings.waf,
            deletion_protection: self.deletion_protection(),
            ..UiProps::new(name)
        }
    }

    fn metaflow_compute(&self) -> ComputeProps {
        let own = self.metaflow;
        let environment = |kind: &ComputeKind| {
            let mut one =
                ComputeEnvironment { max_vcpus: own.metaflow_max_vcpus, ..ComputeEnvironment::new(*kind) };
            let types = match kind {
                ComputeKind::Ec2 | ComputeKind::Spot => &own.metaflow_instance_types,
                ComputeKind::Gpu => &own.metaflow_gpu_types,
                ComputeKind::Fargate => return one,
            };
            if !types.is_empty() {
                one.instance_types.clone_from(types);
            }
            one
        };
        ComputeProps {
            environments: own.metaflow_compute.iter().map(environment).collect(),
            worker_policies: own
                .metaflow_worker_policies
                .iter()
                .cloned()
                .map(IntoValue::into_value)
                .collect(),
            container_image: own.metaflow_image.clone(),
            ..ComputeProps::default()
        }
    }
}

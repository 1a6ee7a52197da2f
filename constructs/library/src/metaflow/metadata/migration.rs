//! The migration of the tables, with every change of the image and whenever somebody asks.
//!
//! The image makes the tables of an empty database by itself, and never changes those that are there. A custom resource
//! whose properties have the image does, once the new tasks run; its answer is shown as an output.

use std::collections::BTreeMap;

use formwork::{Resource, Scope, Value, text};
use formwork_lambda_layers::{METAFLOW_MIGRATION_ENTRY_POINT, PYTHON_RUNTIME, metaflow_migration_handler};

use super::{Balancer, MIGRATION_PORT, MetadataProps};
use crate::container_service::ContainerService;
use crate::custom_resource::CustomResource;
use crate::function::{Function, FunctionNetwork, FunctionProps, embedded};
use crate::metaflow::MetaflowProps;
use crate::networking::{AwsService, TcpPorts, allow_between, allow_https_out, security_group};

/// The most that Lambda gives: indexes of a large database take their time.
const TIMEOUT_SECONDS: i64 = 900;
/// One run answers; Lambda repeats one that died without an answer twice, and what was migrated is found done.
const SERVICE_TIMEOUT_SECONDS: i64 = 3_000;

pub(super) struct Migration {
    pub(super) function: Value<String>,
    pub(super) status: Value<String>,
    pub(super) schema_version: Value<String>,
}

impl Migration {
    #[track_caller]
    pub(super) fn new(
        scope: Scope<'_>,
        props: &MetaflowProps<'_>,
        own: &MetadataProps,
        balancer: &Balancer,
        service: &ContainerService,
    ) -> Self {
        let vpc_id = &props.networking.vpc_id;
        // The answer to CloudFormation goes to a bucket.
        props.networking.require_reach(scope, "the migration of Metaflow's tables", &[AwsService::S3]);
        let group =
            security_group(scope, "Group", vpc_id, "The function that migrates the tables of Metaflow");
        let ways = scope.child("Ways");
        allow_between(
            ways,
            "FunctionToMigration",
            &group,
            &balancer.security_group,
            TcpPorts::one(MIGRATION_PORT),
            "Migrations of the tables of Metaflow",
        );
        allow_https_out(ways, "Https", &group, "The answer to CloudFormation");
        let url = text!("http://{}:{}", &balancer.dns_name, MIGRATION_PORT.to_string());
        let function = Function::new(
            scope,
            "Function",
            FunctionProps {
                description: "Brings the tables of Metaflow's metadata service to where its image wants them"
                    .to_owned(),
                timeout_seconds: TIMEOUT_SECONDS,
                environment: BTreeMap::from([("MIGRATION_URL".to_owned(), url)]),
                log_retention_days: props.log_retention_days,
                log_key: props.key.clone(),
                network: Some(FunctionNetwork {
                    subnets: props.networking.private_subnets.clone(),
                    security_group: group,
                }),
                ..FunctionProps::new(
                    embedded(scope, "Handler", metaflow_migration_handler()),
                    PYTHON_RUNTIME,
                    METAFLOW_MIGRATION_ENTRY_POINT,
                )
            },
        );
        let schema = CustomResource::new("Custom::MetaflowSchema", &function)
            .service_timeout(SERVICE_TIMEOUT_SECONDS)
            .property::<String>("Image", own.image.name())
            .depends_on(service.service)
            .depends_on(ways)
            .define(scope, "Schema");
        Self {
            function: function.name,
            status: schema.attribute("Status"),
            schema_version: schema.attribute("SchemaVersion"),
        }
    }
}

//! The metadata service, its database and its migrations in the template.

use formwork::Json;

use super::MetadataProps;
use crate::container_service::ContainerImage;
use crate::metaflow::testing::{one, properties, resources, rules, template};
use crate::metaflow::{Api, MetaflowProps};

fn with(change: impl Fn(MetadataProps) -> MetadataProps) -> Json {
    template(|props| MetaflowProps { metadata: Some(change(MetadataProps::default())), ..props })
}

#[test]
fn the_database_is_talked_to_over_tls_and_its_password_is_in_no_variable() {
    let template = with(|own| own);
    let container = &one(&template, "AWS::ECS::TaskDefinition")["ContainerDefinitions"][0];
    let environment = container["Environment"].as_array().expect("variables");
    let of =
        |name: &str| environment.iter().find(|it| it["Name"] == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(of("MF_METADATA_DB_SSL_MODE")["Value"], "require");
    assert_eq!(of("MF_METADATA_DB_NAME")["Value"], "metaflow");
    assert!(!container["Environment"].to_string().contains("resolve:"), "{environment:?}");
    assert_eq!(container["Secrets"][0]["Name"], "MF_METADATA_DB_PSWD");
    assert!(container["Secrets"][0]["ValueFrom"].to_string().contains(":password::"));
    let database = one(&template, "AWS::RDS::DBInstance");
    assert_eq!(database["Engine"], "postgres");
    assert_eq!(
        (&database["PubliclyAccessible"], &database["StorageEncrypted"]),
        (&false.into(), &true.into())
    );
}

#[test]
fn tasks_have_no_public_address_and_the_database_lets_in_them_alone() {
    let template = with(|own| own);
    let network = &one(&template, "AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"];
    assert_eq!(network["AssignPublicIp"], "DISABLED");
    let tasks = &network["SecurityGroups"][0];
    let ingress = properties(&template, "AWS::EC2::SecurityGroupIngress");
    let to_database: Vec<_> = ingress.iter().filter(|rule| rule["FromPort"] == 5432).collect();
    assert_eq!(to_database.len(), 1);
    assert_eq!(&to_database[0]["SourceSecurityGroupId"], tasks);
}

#[test]
fn only_the_function_reaches_the_port_of_migrations() {
    let template = with(|own| own);
    let function = &properties(&template, "AWS::Lambda::Function")[0]["VpcConfig"]["SecurityGroupIds"][0];
    let balancer = &one(&template, "AWS::ElasticLoadBalancingV2::LoadBalancer")["SecurityGroups"][0];
    let ingress = properties(&template, "AWS::EC2::SecurityGroupIngress");
    let rules: Vec<_> = ingress.iter().filter(|rule| rule["FromPort"] == 8082).collect();
    assert_eq!(rules.len(), 2, "the function to the load balancer, and that to the tasks");
    for rule in rules {
        let source = &rule["SourceSecurityGroupId"];
        assert!(rule["CidrIp"].is_null());
        let expected = if &rule["GroupId"] == balancer { function } else { balancer };
        assert_eq!(source, expected, "{rule}");
    }
}

#[test]
fn the_load_balancer_asks_whether_the_database_is_there() {
    let template = with(|own| own);
    let mut paths: Vec<String> = properties(&template, "AWS::ElasticLoadBalancingV2::TargetGroup")
        .iter()
        .map(|group| format!("{}:{}", group["Port"], group["HealthCheckPath"].as_str().unwrap_or_default()))
        .collect();
    paths.sort();
    assert_eq!(paths, ["8080:/healthcheck", "8082:/ping"]);
    let balancer = one(&template, "AWS::ElasticLoadBalancingV2::LoadBalancer");
    assert_eq!((&balancer["Scheme"], &balancer["Type"]), (&"internal".into(), &"network".into()));
    assert_eq!(balancer["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"], "on");
}

#[test]
fn every_change_of_the_image_migrates_once_the_new_tasks_run() {
    let image =
        |name: &str| with(|own| MetadataProps { image: ContainerImage::Pinned(name.to_owned()), ..own });
    let schema = |template: &Json| {
        let found = resources(template, "Custom::MetaflowSchema");
        assert_eq!(found.len(), 1);
        found[0].1.clone()
    };
    let old = schema(&image("example/service:v2.4.13"));
    let new = schema(&image("example/service:v2.5.1"));
    assert_ne!(old["Properties"], new["Properties"]);
    assert_eq!(new["Properties"]["Image"], "example/service:v2.5.1");
    let waits_for = new["DependsOn"].to_string();
    assert!(waits_for.contains("ServiceService") || waits_for.contains("MetadataService"), "{waits_for}");
    let template = image("example/service:v2.5.1");
    for (output, attribute) in [("MigrationStatus", "Status"), ("SchemaVersion", "SchemaVersion")] {
        assert_eq!(template["Outputs"][output]["Value"]["Fn::GetAtt"][1], attribute);
    }
    assert!(
        rules(|props| MetaflowProps {
            metadata: Some(MetadataProps {
                image: ContainerImage::Pinned("example/service".to_owned()),
                ..MetadataProps::default()
            }),
            ..props
        })
        .contains(&"image".to_owned())
    );
}

#[test]
fn the_service_asks_nobody_who_they_are_and_so_is_open_to_known_addresses_only() {
    let clients = |template: &Json| -> Vec<Json> {
        let ingress = properties(template, "AWS::EC2::SecurityGroupIngress");
        ingress.iter().filter(|rule| rule["FromPort"] == 80).map(|rule| rule["CidrIp"].clone()).collect()
    };
    let by_default = clients(&with(|own| own));
    assert_eq!(by_default.len(), 1);
    assert!(by_default[0].to_string().contains("CidrBlock"), "the VPC's: {by_default:?}");
    let block = |block: &str| vec![block.to_owned()];
    let named = with(|own| MetadataProps { allow_cidrs: block("10.1.0.0/16"), ..own });
    assert_eq!(clients(&named), ["10.1.0.0/16"]);
    for wrong in ["0.0.0.0/0", "10.1.0.1/16", "office"] {
        let found = rules(|props| MetaflowProps {
            metadata: Some(MetadataProps { allow_cidrs: block(wrong), ..MetadataProps::default() }),
            ..props
        });
        assert_eq!(found, ["address-block"], "{wrong}");
    }
}

#[test]
fn nothing_has_a_fixed_name_and_every_log_ends() {
    let template = template(|props| MetaflowProps { api: Api::Private, ..props });
    for (kind, name) in [
        ("AWS::ECS::Service", "ServiceName"),
        ("AWS::ECS::TaskDefinition", "Family"),
        ("AWS::ECS::Cluster", "ClusterName"),
        ("AWS::Lambda::Function", "FunctionName"),
        ("AWS::Logs::LogGroup", "LogGroupName"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Name"),
        ("AWS::RDS::DBInstance", "DBInstanceIdentifier"),
        ("AWS::SecretsManager::Secret", "Name"),
        ("AWS::IAM::Role", "RoleName"),
    ] {
        let found = properties(&template, kind);
        assert!(!found.is_empty(), "{kind}");
        assert!(found.iter().all(|it| it[name].is_null()), "{kind} has a fixed name");
    }
    let logs = properties(&template, "AWS::Logs::LogGroup");
    assert!(logs.iter().all(|log| log["RetentionInDays"].is_number()), "{logs:?}");
}

#[test]
fn every_role_is_used() {
    let template = template(|props| props);
    for (id, _) in resources(&template, "AWS::IAM::Role") {
        let users = template["Resources"].as_object().expect("resources").values().filter(|resource| {
            resource["Type"] != "AWS::IAM::Policy"
                && resource.to_string().contains(&format!(r#"["{id}","Arn"]"#))
        });
        assert_ne!(users.count(), 0, "{id}");
    }
}

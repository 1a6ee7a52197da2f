//! Environments, queues and roles as they are synthesised.

use formwork::{App, AppProps, TopicArn};
use serde_json::{Value as Json, json};

use super::*;
use crate::metaflow::{Metaflow, MetaflowProps};
use crate::networking::{Networking, NetworkingProps};
use crate::testing::of_type;

fn synth(network: NetworkingProps, change: impl FnOnce(&mut MetaflowProps<'_>)) -> Result<Json, Vec<String>> {
    let app = App::new(AppProps::default());
    let networking = Networking::new(app.stack("network"), "Networking", network);
    let mut props = MetaflowProps::new(&networking);
    props.compute = Some(ComputeProps::default());
    change(&mut props);
    Metaflow::new(app.stack("metaflow"), "Metaflow", &props);
    match app.synth() {
        Ok(synthesis) => Ok(synthesis.template("metaflow").expect("a template")),
        Err(error) => Err(error.diagnostics.iter().map(|one| one.message.clone()).collect()),
    }
}

fn all_kinds(props: &mut MetaflowProps<'_>) {
    let kinds = [ComputeKind::Fargate, ComputeKind::Ec2, ComputeKind::Spot, ComputeKind::Gpu];
    let environments = kinds.map(ComputeEnvironment::new).to_vec();
    props.compute = Some(ComputeProps { environments, ..ComputeProps::default() });
}

#[test]
fn each_kind_is_an_environment_that_costs_nothing_while_idle_and_is_changed_in_place() {
    let template = synth(NetworkingProps::default(), all_kinds).expect("no mistakes");
    let environments = of_type(&template, "AWS::Batch::ComputeEnvironment");
    assert_eq!(environments.len(), 4);
    for environment in environments {
        let properties = &environment["Properties"];
        let resources = &properties["ComputeResources"];
        assert!(properties.get("ServiceRole").is_none(), "the service's own role, or updates replace");
        assert!(properties.get("ComputeEnvironmentName").is_none());
        assert_eq!(properties["ReplaceComputeEnvironment"], false);
        let strategy = resources["AllocationStrategy"].as_str();
        let image = resources["Ec2Configuration"][0]["ImageType"].as_str();
        match resources["Type"].as_str() {
            Some("FARGATE") => assert_eq!((strategy, image, resources.get("MinvCpus")), (None, None, None)),
            Some("SPOT") => assert_eq!(strategy, Some("SPOT_PRICE_CAPACITY_OPTIMIZED")),
            Some("EC2") => assert_eq!(strategy, Some("BEST_FIT_PROGRESSIVE")),
            other => panic!("{other:?}"),
        }
        if resources["Type"] != "FARGATE" {
            assert_eq!(resources["MinvCpus"], 0);
            assert!(image.is_some_and(|image| image.starts_with("ECS_AL2023")), "{image:?}");
            assert!(resources["LaunchTemplate"]["Version"]["Fn::GetAtt"].is_array(), "a change is noticed");
        }
    }
    let gpu = template.to_string();
    assert_eq!(gpu.matches("ECS_AL2023_NVIDIA").count(), 1);
}

#[test]
fn instances_have_encrypted_disks_and_give_tokens_to_containers() {
    let template = synth(NetworkingProps::default(), |_| ()).expect("no mistakes");
    let data = &of_type(&template, "AWS::EC2::LaunchTemplate")[0]["Properties"]["LaunchTemplateData"];
    assert_eq!(
        data["BlockDeviceMappings"],
        json!([{"DeviceName": "/dev/xvda", "Ebs": {
            "Encrypted": true, "VolumeType": "gp3", "VolumeSize": 100, "DeleteOnTermination": true,
        }}])
    );
    assert_eq!(
        data["MetadataOptions"],
        json!({"HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 2})
    );
}

#[test]
fn queues_get_rid_of_jobs_that_cannot_start_and_the_first_is_the_default() {
    let template = synth(NetworkingProps::default(), all_kinds).expect("no mistakes");
    let queues = of_type(&template, "AWS::Batch::JobQueue");
    assert_eq!(queues.len(), 4);
    for queue in queues {
        let actions = queue["Properties"]["JobStateTimeLimitActions"].as_array().expect("actions");
        assert_eq!(actions.len(), 3);
        assert!(actions.iter().all(|action| action["Action"] == "CANCEL" && action["State"] == "RUNNABLE"));
        assert_eq!(queue["Properties"]["ComputeEnvironmentOrder"].as_array().map(Vec::len), Some(1));
    }
    let outputs = &template["Outputs"];
    assert_eq!(outputs["BatchJobQueueArn"]["Value"], outputs["BatchJobQueueFargate"]["Value"]);
    assert_ne!(outputs["BatchJobQueueArn"]["Value"], outputs["BatchJobQueueEc2"]["Value"]);
}

#[test]
fn fargate_has_its_execution_role_as_a_setting_of_the_client_and_no_instances() {
    let template = synth(NetworkingProps::default(), |props| {
        let environments = vec![ComputeEnvironment::new(ComputeKind::Fargate)];
        props.compute = Some(ComputeProps { environments, ..ComputeProps::default() });
    })
    .expect("no mistakes");
    let output = &template["Outputs"]["ECSFargateExecutionRole"];
    assert!(
        output["Description"]
            .as_str()
            .is_some_and(|it| it.ends_with("[METAFLOW_ECS_FARGATE_EXECUTION_ROLE]"))
    );
    assert!(of_type(&template, "AWS::IAM::InstanceProfile").is_empty());
    assert!(of_type(&template, "AWS::EC2::LaunchTemplate").is_empty());
    let without = synth(NetworkingProps::default(), |_| ()).expect("no mistakes");
    assert!(without["Outputs"].get("ECSFargateExecutionRole").is_none());
}

#[test]
fn containers_are_in_a_group_of_their_own_that_stays_until_they_are_gone() {
    let template = synth(NetworkingProps::default(), |_| ()).expect("no mistakes");
    let environment = of_type(&template, "AWS::Batch::ComputeEnvironment")[0];
    let waits = environment["DependsOn"].to_string();
    assert!(waits.contains("ComputeReachHttps"), "{waits}");
    let text = environment.to_string();
    assert!(text.contains("MetaflowComputeSecurityGroup"), "{text}");
}

#[test]
fn the_topic_hears_of_blocked_queues_only_when_there_is_one() {
    let silent = synth(NetworkingProps::default(), |_| ()).expect("no mistakes");
    assert!(of_type(&silent, "AWS::Events::Rule").is_empty());
    let told = synth(NetworkingProps::default(), |props| {
        props.alarm_topic = Some(TopicArn::literal("arn:aws:sns:us-east-1:123456789012:operators"));
    })
    .expect("no mistakes");
    let pattern = &of_type(&told, "AWS::Events::Rule")[0]["Properties"]["EventPattern"];
    assert_eq!(pattern["detail-type"], json!(["Batch Job Queue Blocked"]));
    assert_eq!(pattern["resources"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_aws_would_refuse_is_refused() {
    let with = |change: fn(&mut ComputeEnvironment), kind| {
        synth(NetworkingProps::default(), move |props| {
            let mut one = ComputeEnvironment::new(kind);
            change(&mut one);
            props.compute = Some(ComputeProps { environments: vec![one], ..ComputeProps::default() });
        })
        .expect_err("a mistake")
    };
    let says = |found: Vec<String>, words: &str| {
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains(words), "{found:#?}");
    };
    says(with(|one| one.max_vcpus = 0, ComputeKind::Ec2), "0 to 0 vCPUs");
    says(with(|one| one.min_vcpus = 65, ComputeKind::Spot), "65 to 64 vCPUs");
    says(with(|one| one.min_vcpus = 1, ComputeKind::Fargate), "fargate has types of instances or vCPUs");
    says(with(|one| one.instance_types.clear(), ComputeKind::Gpu), "gpu has no type of instances");
    says(with(|one| one.disk_gib = 20, ComputeKind::Ec2), "disks of 20 GiB");
    let twice = synth(NetworkingProps::default(), |props| {
        let environments = vec![ComputeEnvironment::new(ComputeKind::Ec2); 2];
        props.compute = Some(ComputeProps { environments, ..ComputeProps::default() });
    })
    .expect_err("a mistake");
    assert!(twice.iter().any(|it| it.contains("two environments of the kind ec2")), "{twice:#?}");
    let nothing = synth(NetworkingProps::default(), |props| {
        props.compute = Some(ComputeProps { environments: Vec::new(), ..ComputeProps::default() });
    });
    says(nothing.expect_err("a mistake"), "no environment to run steps on");
    let without_nat = NetworkingProps { nat_gateways: 0, ..NetworkingProps::default() };
    let found = synth(without_nat, |_| ()).expect_err("a mistake");
    assert!(found.iter().any(|it| it.contains("the containers of steps cannot reach")), "{found:#?}");
}

#[test]
fn batch_without_the_datastore_is_a_mistake() {
    let found = synth(NetworkingProps::default(), |props| props.datastore = None).expect_err("a mistake");
    assert!(found.iter().any(|it| it.contains("there is no datastore")), "{found:#?}");
}

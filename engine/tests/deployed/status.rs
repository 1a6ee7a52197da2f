//! What stands in the table of what is deployed.

use formwork_engine::components::{self, Component, ComponentKind, Health, Ownership, StackHealth};
use formwork_engine::plan::{Command, Depth};

use crate::case::{Case, Part, shop};
use crate::platform::{REGION, WayOut, both, custom, located, quick, studio};

async fn look(case: &Case, parts: &[Part]) -> Vec<StackHealth> {
    components::look(&located(case, parts).await).await
}

fn of<'s>(stacks: &'s [StackHealth], stack: &str, kind: ComponentKind) -> &'s Component {
    let stack = stacks.iter().find(|it| it.name == stack).unwrap();
    stack.components.iter().find(|it| it.kind == kind).unwrap_or_else(|| panic!("{stack:#?}"))
}

#[tokio::test(start_paused = true)]
async fn both_modes_stand_beside_each_other_with_state_address_and_version() {
    let mut case = quick("");
    case.deploy(&both()).await;
    let stacks = look(&case, &both()).await;
    assert!(stacks.iter().all(|it| it.owner == Some(Ownership::Ours) && it.region == REGION));
    let all: Vec<&Component> = stacks.iter().flat_map(|stack| &stack.components).collect();
    assert!(all.iter().all(|it| it.health == Health::Healthy), "{all:#?}");

    let server = of(&stacks, "mlflow-tracking", ComponentKind::TrackingServer);
    assert_eq!((server.name.as_str(), server.state.as_deref()), ("team-server", Some("Created")));
    assert_eq!(server.version.as_deref(), Some("3.0"));
    assert!(server.url.as_deref().unwrap().contains("experiments.sagemaker.aws"));
    let app = of(&stacks, "mlflow-serverless", ComponentKind::MlflowApp);
    assert_eq!(app.version.as_deref(), Some("3.10.1"));
    assert_eq!(app.url.as_deref(), Some("https://mlflow-serverless.example.com"));

    let front = of(&stacks, "proxy-tracking", ComponentKind::LoadBalancer);
    assert!(front.url.as_deref().unwrap().starts_with("http://"), "{front:#?}");
    let instances = of(&stacks, "proxy-tracking", ComponentKind::Instances);
    assert_eq!(instances.version.as_deref(), Some("binary 0123456789ab"));
    assert_eq!(instances.state.as_deref(), Some("1 of 1 in service"));
    assert_eq!(of(&stacks, "net", ComponentKind::Endpoints).state.as_deref(), Some("1 of 1 available"));
    assert_eq!(of(&stacks, "domain", ComponentKind::StudioDomain).state.as_deref(), Some("InService"));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_deployed_is_absent_and_what_is_ill_says_so() {
    let parts = both();
    let mut case = quick("");
    case.deploy(&parts[..4]).await;
    case.script("state AWS::ElasticLoadBalancingV2::TargetGroup unhealthy \"Target.Timeout\"");
    case.script("state AWS::SageMaker::MlflowTrackingServer Splendid");
    let stacks = look(&case, &parts).await;
    let absent: Vec<&str> =
        stacks.iter().filter(|it| it.health == Health::Absent).map(|it| it.name.as_str()).collect();
    assert_eq!(absent, ["mlflow-serverless", "proxy-serverless"]);
    let targets = of(&stacks, "proxy-tracking", ComponentKind::Targets);
    assert_eq!((targets.health, targets.state.as_deref()), (Health::Unhealthy, Some("0 of 1 healthy")));
    assert!(targets.detail.as_deref().unwrap().contains("Target.Timeout"));
    let server = of(&stacks, "mlflow-tracking", ComponentKind::TrackingServer);
    assert_eq!((server.health, server.state.as_deref()), (Health::Unknown, Some("Splendid")));
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_unknown_and_says_why() {
    let parts = studio(WayOut::Nat);
    let mut case = quick("");
    case.deploy(&parts).await;
    case.script("on ec2:Describe* error 403 UnauthorizedOperation \"no\"");
    let stacks = look(&case, &parts).await;
    let network = of(&stacks, "net", ComponentKind::Network);
    assert_eq!((network.health, &network.state), (Health::Unknown, &None));
    assert_eq!(network.detail.as_deref(), Some("cannot tell: DescribeVpcs is denied"));
    case.script("on DescribeStacks error 403 AccessDenied \"no\"");
    let stacks = look(&case, &parts).await;
    assert!(stacks.iter().all(|it| it.health == Health::Unknown && it.unknown.is_some()), "{stacks:#?}");
}

#[tokio::test(start_paused = true)]
async fn an_app_of_a_custom_resource_is_found_by_the_arn_that_its_stack_hands_on() {
    let parts = [studio(WayOut::Nat), vec![custom()]].concat();
    let mut case = quick("");
    case.deploy(&parts).await;
    let stacks = look(&case, &parts).await;
    let app = of(&stacks, "mlflow-custom", ComponentKind::MlflowApp);
    assert_eq!((app.name.as_str(), app.health), ("team-app", Health::Healthy));
    assert!(app.physical_id.contains(":mlflow-app/"), "{app:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_an_app_would_make_in_another_mode_is_ours_once_it_did() {
    let mut case = quick("");
    case.deploy(&[shop("a")]).await;
    let all = located(&case, &[shop("a"), crate::platform::tracking()]).await;
    let ours = components::ours(all).await;
    assert_eq!(ours.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["shop"]);
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_was_planned_only_holds_nothing() {
    let mut case = quick("");
    assert_eq!(case.request.command, Command::Deploy);
    case.request.depth = Depth::ChangeSets;
    case.plan(&[shop("a")]).await.unwrap();
    let stacks = look(&case, &[shop("a")]).await;
    assert_eq!(stacks[0].health, Health::Absent);
    assert!(stacks[0].status.is_some());
}

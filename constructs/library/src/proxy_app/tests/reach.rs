//! What is found about a proxy with a key in front of a server that exists.

use formwork::{App, AppProps, Diagnostic, Environment, KeyArn};

use super::built;
use crate::managed_mlflow::ManagedMlflow;
use crate::networking::{Networking, NetworkingProps};
use crate::proxy_app::{ProxyApp, ProxyAppProps, ProxyCompute};

/// What synth says about a proxy with a key in front of a server of a region, in a network of `us-east-1`.
fn findings(nat_gateways: u8, compute: ProxyCompute, mlflow_region: &str) -> Vec<Diagnostic> {
    let environment = Environment { account: None, region: Some("us-east-1".to_owned()) };
    let app = App::new(AppProps { environment, ..AppProps::default() });
    let props = NetworkingProps { nat_gateways, ..NetworkingProps::default() };
    let networking = Networking::new(app.stack("networking"), "Networking", props);
    let stack = app.stack("proxy");
    let arn = format!("arn:aws:sagemaker:{mlflow_region}:111122223333:mlflow-tracking-server/team");
    let mlflow = ManagedMlflow::existing(stack, "Mlflow", &arn, None);
    let key = "arn:aws:kms:us-east-1:111122223333:key/0f9e8d7c-6b5a-4958-8776-655443322110";
    let props = ProxyAppProps {
        key: Some(KeyArn::literal(key)),
        compute,
        ..ProxyAppProps::new(&networking, &mlflow, built())
    };
    ProxyApp::new(stack, "Proxy", props);
    match app.synth() {
        Ok(synthesis) => synthesis.diagnostics,
        Err(error) => error.diagnostics,
    }
}

#[test]
fn a_server_of_another_region_needs_a_way_out_whatever_endpoints_there_are() {
    let unreachable = |nat_gateways, region| {
        let found = findings(nat_gateways, ProxyCompute::Asg, region);
        let found = found.into_iter().filter(|found| found.rule == "unreachable-service");
        found.map(|found| found.message).collect::<Vec<_>>()
    };
    assert!(unreachable(0, "us-east-1").is_empty());
    assert!(unreachable(1, "eu-west-1").is_empty());
    let messages = unreachable(0, "eu-west-1");
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].contains("the MLflow tracking server in eu-west-1"), "{messages:?}");
}

#[test]
fn whom_the_key_has_to_allow_is_noted_by_what_it_encrypts() {
    for (compute, auto_scaling) in [(ProxyCompute::Asg, true), (ProxyCompute::Single, false)] {
        let found = findings(1, compute, "us-east-1");
        let notes: Vec<_> = found.iter().filter(|found| found.rule == "key-policy").collect();
        assert_eq!(notes.len(), 1, "{found:?}");
        assert!(notes[0].message.contains("logs.us-east-1.amazonaws.com"), "{}", notes[0].message);
        assert_eq!(notes[0].message.contains("AWSServiceRoleForAutoScaling"), auto_scaling);
    }
}

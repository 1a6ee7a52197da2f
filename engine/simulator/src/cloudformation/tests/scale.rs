//! The size of real accounts, and the product's own templates.

use super::Bench;

/// Faults 76 and 78: hundreds of stacks at once, tens of thousands of events, no minute of waiting.
#[test]
fn four_hundred_stacks_of_sixty_resources_run_side_by_side() {
    let resources: Vec<String> = (0..60)
        .map(|index| {
            let needs = if index < 6 { String::new() } else { format!(r#", "DependsOn": "R{}""#, index - 6) };
            format!(r#""R{index}": {{"Type": "AWS::SNS::Topic"{needs}}}"#)
        })
        .collect();
    let template = format!(r#"{{"Resources": {{{}}}}}"#, resources.join(","));
    let mut bench = Bench::new();
    let begun = bench.now;
    let mut change_sets = Vec::new();
    for index in 0..400 {
        let name = format!("stack-{index:03}");
        let parameters = [
            ("StackName", name.as_str()),
            ("ChangeSetName", "first"),
            ("ChangeSetType", "CREATE"),
            ("TemplateBody", &template),
        ];
        change_sets.push(bench.call("CreateChangeSet", &parameters).unwrap().text("Id"));
    }
    bench.wait(10);
    for change_set in &change_sets {
        bench.execute(change_set, &[]);
    }
    let mut seen = 0;
    while !bench
        .call("ListStacks", &[("StackStatusFilter.member.1", "CREATE_IN_PROGRESS")])
        .unwrap()
        .members("StackSummaries")
        .is_empty()
    {
        bench.wait(2);
        seen += 1;
    }
    assert!(seen > 20);
    assert_eq!(bench.status("stack-399"), "CREATE_COMPLETE");
    // Ten rows of four seconds each: what runs side by side takes no longer than one.
    assert!(super::elapsed(begun, bench.now).as_secs() < 60, "{:?}", super::elapsed(begun, bench.now));
}

#[test]
fn the_same_calls_at_the_same_times_end_the_same() {
    let run = || {
        let mut bench = Bench::new();
        bench.world.faults.fail("Subnet", "no");
        bench.deploy("net", super::basic::NETWORK);
        let id = bench.call("DescribeStacks", &[("StackName", "net")]).unwrap().text("StackId");
        (id, bench.events("net"), bench.now)
    };
    assert_eq!(run(), run());
}

/// The templates of the two modes as this repository's golden files have them, deployed in their order, changed by
/// nothing, and deleted.
#[test]
fn the_products_own_templates_are_deployed_and_deleted() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden");
    let read = |mode: &str, stack: &str| {
        let path = format!("{golden}/{mode}/sagemaker-infra-{stack}.template.json");
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let mut bench = Bench::new();
    bench.world.options.early_validation = true;
    bench.around.parameters.insert("/formwork/bootstrap/formwork/bucket".to_owned(), "assets".to_owned());
    let stacks = [
        ("tracking", "networking"),
        ("tracking", "sagemaker-domain"),
        ("tracking", "mlflow-tracking"),
        ("tracking", "proxyapp-tracking"),
        ("serverless", "mlflow-serverless"),
        ("serverless", "proxyapp-serverless"),
    ];
    let sha = ["Parameters.member.1.ParameterKey", "Parameters.member.1.ParameterValue"];
    for (mode, stack) in stacks {
        let template = read(mode, stack);
        let needs_proxy = template.contains("\"ProxyBinarySha256\"");
        let given = [
            (sha[0], "ProxyBinarySha256"),
            (sha[1], "0000000000000000000000000000000000000000000000000000000000000000"),
        ];
        let given = if needs_proxy { &given[..] } else { &[] };
        let name = format!("sagemaker-infra-{stack}");
        assert_eq!(
            bench.deploy_with(&name, &template, given, &[]),
            "CREATE_COMPLETE",
            "{:?}",
            bench.events(&name)
        );
        let again = bench.change_set(&name, "UPDATE", &template, given);
        let told = bench.call("DescribeChangeSet", &[("ChangeSetName", &again)]).unwrap();
        assert!(
            told.text("StatusReason").starts_with("The submitted information"),
            "{:?}",
            bench.changes(&again)
        );
    }
    for (_, stack) in stacks.iter().rev() {
        let name = format!("sagemaker-infra-{stack}");
        let id = bench.call("DescribeStacks", &[("StackName", &name)]).unwrap().text("StackId");
        bench.call("DeleteStack", &[("StackName", &name)]).unwrap();
        bench.settle();
        assert_eq!(bench.status(&id), "DELETE_COMPLETE", "{:?}", bench.events(&id));
    }
}

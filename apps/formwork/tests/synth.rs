//! `formwork synth`, and the apps that it runs.

mod support;

use serde_json::Value as Json;
use support::{Project, app, assert_schema};

#[test]
fn the_built_in_app_is_written_and_told() {
    let project = Project::new();
    let done = project.run(&["synth"]).ends_with(0).prints("stack ").prints("written to cfn-out in ");
    assert_eq!(done.stderr, "");
    let manifest = project.json("cfn-out/manifest.json");
    let first = done.stdout.lines().nth(1).unwrap().split(' ').next().unwrap();
    assert_eq!(manifest["artifacts"][first]["type"], "aws:cloudformation:stack");
    assert_eq!(project.names("."), ["cfn-out"]);
}

#[test]
fn an_app_of_its_own_gives_the_same_assembly_twice() {
    let project = Project::new();
    project.run_app("good", &["synth"]).ends_with(0).says("the app prints this");
    let files = |project: &Project| -> Vec<(String, String)> {
        let names = project.names("cfn-out");
        names.into_iter().map(|name| (name.clone(), project.read(&format!("cfn-out/{name}")))).collect()
    };
    let first = files(&project);
    let done = project.run_app("good", &["synth"]).ends_with(0);
    assert_eq!(files(&project), first);
    let table: Vec<Vec<&str>> =
        done.stdout.lines().take(3).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(table[1][..2], ["app-network", "2"]);
    assert_eq!((table[2][0], table[2][3]), ("app-proxy", "app-network"));
}

#[test]
fn context_account_and_region_reach_the_app() {
    let project = Project::new().with(
        "formwork.toml",
        "topics = 2\n[env.prod]\naccount = \"123456789012\"\nregion = \"eu-west-1\"\nprefix = \"prod\"\n",
    );
    project.run_app("good", &["synth", "--env", "prod", "-c", "topics=3"]).ends_with(0);
    let manifest = project.json("cfn-out/manifest.json");
    assert_eq!(manifest["artifacts"]["prod-network"]["environment"], "aws://123456789012/eu-west-1");
    let template = project.json("cfn-out/prod-network.template.json");
    assert_eq!(template["Resources"].as_object().unwrap().len(), 4);
}

#[test]
fn the_app_of_the_file_starts_in_its_directory() {
    let project = Project::new().with("below/here", "");
    let project = project.with("formwork.toml", format!("app = '''{}'''\n", app("good")));
    let mut command = project.command(&["synth"]);
    command.current_dir(project.path().join("below"));
    support::Done::of(command.output().unwrap()).ends_with(0);
    assert!(project.names(".").contains(&"cfn-out".to_owned()));
    assert_eq!(project.names("below"), ["here"]);
}

#[test]
fn a_template_alone_goes_to_standard_output() {
    let project = Project::new();
    let done = project
        .run_app("good", &["synth", "--template", "app-proxy"])
        .ends_with(0)
        .says("written to cfn-out");
    assert_eq!(done.stdout, project.read("cfn-out/app-proxy.template.json"));
    project.run_app("good", &["synth", "--template", "app-*"]).ends_with(10).says("names several stacks");
}

#[test]
fn a_report_as_json_has_stacks_and_findings() {
    let project = Project::new();
    let done = project.run_app("good", &["synth", "--json", "app-proxy"]).ends_with(0);
    let report: Json = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(report["output"], "cfn-out");
    assert_eq!(report["stacks"][0]["dependencies"], serde_json::json!(["app-network"]));
    assert_eq!(report["stacks"].as_array().unwrap().len(), 1);
    assert_eq!(report["counts"]["errors"], 0);
    assert!(report["seconds"].as_f64().unwrap() > 0.0);
    let failed = project.run_app("duplicate", &["synth", "--json"]).ends_with(1);
    let report: Json = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!(report["output"], Json::Null);
    assert_eq!(report["findings"][0]["rule"], "duplicate-id");
    assert_schema("synth.json", &report);
}

#[test]
fn errors_name_construct_and_line_and_leave_the_output_alone() {
    for (word, messages) in [
        (
            "duplicate",
            &["error[duplicate-id]", "at twice/Topic", "--> apps/formwork/tests/support/app.rs:"][..],
        ),
        (
            "circle",
            &["error[", "depend on each other in a circle", "--> apps/formwork/tests/support/app.rs:"],
        ),
        ("many", &["501 entries in `Resources`, more than the 500", "at many"]),
    ] {
        let project = Project::new();
        project.run_app("good", &["synth"]).ends_with(0);
        let before = project.read("cfn-out/manifest.json");
        let mut done = project.run_app(word, &["synth"]).ends_with(1).says("cfn-out is left as it was");
        for message in messages {
            done = done.says(message);
        }
        assert_eq!(done.stdout, "");
        assert_eq!(project.read("cfn-out/manifest.json"), before);
        assert_eq!(project.names("."), ["cfn-out"]);
    }
}

#[test]
fn strict_makes_errors_of_warnings() {
    let project = Project::new();
    project.run_app("warning", &["synth"]).ends_with(0).says("warning[").prints("1 warning above");
    let other = Project::new();
    other.run_app("warning", &["synth", "--strict"]).ends_with(1).says("error[");
    assert_eq!(other.names("."), [""; 0]);
}

#[test]
fn wrong_settings_are_usage_errors_that_tell_what_would_be_right() {
    let project = Project::new().with("formwork.toml", "# shared\nspeed = \"slwo\"\nprefx = \"a\"\n");
    project
        .run_app("good", &["synth", "-c", "topics=9"])
        .ends_with(10)
        .says("context speed is `slwo` (set by formwork.toml:2)")
        .says("did you mean speed=slow? it takes fast or slow")
        .says("context prefx (set by formwork.toml:3) is not a setting of this app")
        .says("did you mean prefix?")
        .says("context topics is \"9\" (set by -c): 9 is greater than the maximum of 3");
    assert_eq!(project.names("."), ["formwork.toml"]);
    let project = Project::new();
    project.run(&["synth", "-c", "prefx=a"]).ends_with(10).says("did you mean prefix?");
    project.run(&["synth", "-c", "prefix"]).ends_with(10).says("there is no `=`");
    project.run(&["synth", "--env", "prod"]).ends_with(10).says("--env prod needs a formwork.toml");
    project.run(&["synth", "no-such-stack"]).ends_with(10).says("no stack is named `no-such-stack`");
    project.run(&["synt"]).ends_with(10).says("synth");
    project.run(&[]).ends_with(10).says("Usage");
    assert_eq!(project.names("."), [""; 0]);
}

#[test]
fn files_of_the_user_stay_in_the_output() {
    let project = Project::new().with("cfn-out/README.md", "mine\n").with("cfn-out/.gitignore", "*\n");
    project.run_app("good", &["synth"]).ends_with(0);
    project.run_app("good", &["synth"]).ends_with(0);
    assert_eq!(project.read("cfn-out/README.md"), "mine\n");
    assert_eq!(project.read("cfn-out/.gitignore"), "*\n");
}

#[test]
fn a_directory_that_is_no_assembly_is_not_replaced() {
    let project = Project::new().with("source/main.rs", "fn main() {}\n").with("file", "");
    project
        .run(&["synth", "--output", "source"])
        .ends_with(3)
        .says("is not a cloud assembly and is not empty: it holds main.rs")
        .says("hint: name another directory with --output");
    assert_eq!(project.read("source/main.rs"), "fn main() {}\n");
    project.run(&["synth", "--output", "file"]).ends_with(10).says("is not a directory");
    project.run(&["synth", "--output", "new/deep/out"]).ends_with(0).prints("written to new/deep/out");
    assert!(project.names("new/deep/out").contains(&"manifest.json".to_owned()));
}

#[cfg(unix)]
#[test]
fn others_may_read_the_output_and_a_link_stays_a_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let project = Project::new().with("real/README.md", "");
    symlink("real", project.path().join("cfn-out")).unwrap();
    project.run(&["synth"]).ends_with(0);
    assert!(project.path().join("cfn-out").is_symlink());
    assert!(project.names("real").contains(&"manifest.json".to_owned()));
    let plain = project.path().join("plain");
    std::fs::create_dir(&plain).unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode();
    assert_eq!(mode(&project.path().join("real")), mode(&plain));
}

#[test]
fn apps_that_fail_are_told_from_findings() {
    let project = Project::new();
    project.run_app("broken", &["synth"]).ends_with(1).says("failed: exit status: 7");
    project.run_app("silent", &["synth"]).ends_with(1).says("wrote no assembly");
    project.run(&["list", "--app", "no-such-program --flag"]).ends_with(10).says("cannot start the app");
    project.run(&["list", "--app", "program 'it"]).ends_with(10).says("has a quote that is not closed");
    assert_eq!(project.names("."), [""; 0]);
}

#[test]
fn an_assembly_that_is_there_is_read_and_judged() {
    let template = r#"{"Resources": {"Bucket": {"Type": "AWS::S3::Bukcet"}}}"#;
    let manifest = r#"{"version": "36.0.0", "artifacts": {"one": {"type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/unknown-region", "properties": {"templateFile": "one.template.json"}}}}"#;
    let project =
        Project::new().with("cdk.out/one.template.json", template).with("cdk.out/manifest.json", manifest);
    project
        .run(&["synth", "--app", "cdk.out"])
        .ends_with(1)
        .says("`AWS::S3::Bukcet` is not a resource type")
        .says("--> one.template.json:1:");
    let right = template.replace("Bukcet", "Bucket");
    let project = project.with("cdk.out/one.template.json", &right);
    project.run(&["synth", "--app", "cdk.out"]).ends_with(0).prints("read from cdk.out");
    let done = project.run(&["synth", "--app", "cdk.out", "--template", "one"]).ends_with(0);
    assert_eq!(done.stdout, right);
    assert_eq!(project.run(&["list", "--app", "cdk.out"]).ends_with(0).stdout, "one\n");
    project.run(&["list", "--app", "."]).ends_with(10).says("holds no assembly");
    assert_eq!(project.names("."), ["cdk.out"]);
}

#[test]
fn what_synth_wrote_can_be_read_again() {
    let project = Project::new();
    project.run_app("good", &["synth"]).ends_with(0);
    let done = project.run(&["list", "--app", "cfn-out"]).ends_with(0);
    assert_eq!(done.stdout, "app-network\napp-proxy\n");
    project.run(&["context", "--app", "cfn-out"]).ends_with(0).prints("topics = 1  (default)");
}

//! The commands that keep nothing: `list`, `graph` and `context`.

mod support;

use serde_json::Value as Json;
use support::{Project, assert_schema, golden};

#[test]
fn stacks_are_listed_in_their_order() {
    let project = Project::new();
    let list =
        |arguments: &[&str]| project.run_app("good", &[&["list"], arguments].concat()).ends_with(0).stdout;
    assert_eq!(list(&[]), "app-network\napp-proxy\n");
    assert_eq!(list(&["*-proxy"]), "app-proxy\n");
    assert_eq!(list(&["--tree"]), "app-proxy\n  app-network\n");
    golden("list-long.txt", &list(&["--long"]));
    golden("list.json", &list(&["--json"]));
    assert_schema("list.json", &serde_json::from_str(&list(&["--json"])).unwrap());
    assert_eq!(project.names("."), [""; 0]);
    project.run_app("good", &["ls", "app-prxy"]).ends_with(10).says("did you mean app-proxy?");
    project.run_app("circle", &["list"]).ends_with(1).says("depend on each other in a circle");
    assert_eq!(project.names("."), [""; 0]);
}

#[test]
fn graphs_show_stacks_and_resources_in_each_format() {
    let project = Project::new();
    for format in ["text", "mermaid", "dot"] {
        let graph = |arguments: &[&str]| {
            project.run_app("good", &[&["graph", "--format", format], arguments].concat()).ends_with(0).stdout
        };
        golden(&format!("graph-stacks.{format}"), &graph(&[]));
        golden(&format!("graph-resources.{format}"), &graph(&["--resources"]));
        assert_eq!(graph(&["app-proxy"]), graph(&[]), "a stack is drawn with what it needs");
        assert!(!graph(&["app-proxy", "--resources"]).contains("Topic1"));
    }
    project
        .run_app("good", &["graph", "--format", "png"])
        .ends_with(10)
        .says("possible values: text, mermaid, dot");
}

#[test]
fn settings_are_shown_with_value_origin_and_meaning() {
    let project =
        Project::new().with("formwork.toml", "[env.prod]\nregion = \"eu-west-1\"\nspeed = \"slow\"\n");
    let done = project.run_app("good", &["context", "--env", "prod", "-c", "topics=2"]).ends_with(0);
    done.prints("file     formwork.toml  (found)\n")
        .prints("env      prod  (--env)\n")
        .prints("account  -  (not set)\n")
        .prints("region   eu-west-1  (formwork.toml:2)\n")
        .prints("\nprefix = app  (default)\n  What the name of each stack begins with.\n")
        .prints(
            "\nspeed = slow  (formwork.toml:3; default fast)\n  One of fast, slow.\n  How fast it goes.\n",
        )
        .prints("\ntopics = 2  (-c; default 1)\n");
    let done = project.run_app("good", &["context", "--json", "-c", "spede=slow"]).ends_with(10);
    let report: Json = serde_json::from_str(&done.stdout).unwrap();
    assert_schema("context.json", &report);
    assert_eq!(report["findings"][0]["rule"], "context-key");
    let unknown = report["context"].as_array().unwrap().iter().find(|row| row["key"] == "spede").unwrap();
    assert_eq!((unknown["value"].as_str(), unknown["origin"].as_str()), (Some("slow"), Some("-c")));
}

#[test]
fn the_schema_of_the_context_can_be_used() {
    let done = Project::new().run_app("good", &["context", "--schema"]).ends_with(0);
    let schema: Json = serde_json::from_str(&done.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&serde_json::json!({ "topics": 2, "speed": "slow", "assets": "cdk" })));
    assert!(!validator.is_valid(&serde_json::json!({ "topics": 9 })));
    assert!(!validator.is_valid(&serde_json::json!({ "other": 1 })));
    Project::new().run(&["context", "--schema"]).ends_with(0).prints("\"crossStackReferences\"");
}

//! The table, held against a second statement of the rules that does not know how the rows were made.

use std::collections::BTreeSet;

use super::*;
use crate::access::testing::find;

/// The calls that read, of those that IAM knows for managed MLflow, as calls of the API.
const READ_ACTIONS: [(&str, &str); 20] = [
    ("GET", "/api/2.0/mlflow/experiments/get"),
    ("GET", "/api/2.0/mlflow/experiments/get-by-name"),
    ("POST", "/api/2.0/mlflow/experiments/search"),
    ("GET", "/api/2.0/mlflow/runs/get"),
    ("POST", "/api/2.0/mlflow/runs/search"),
    ("GET", "/api/2.0/mlflow/metrics/get-history"),
    ("GET", "/api/2.0/mlflow/artifacts/list"),
    ("GET", "/api/2.0/mlflow/model-versions/get"),
    ("GET", "/api/2.0/mlflow/registered-models/alias"),
    ("GET", "/api/2.0/mlflow/registered-models/get"),
    ("POST", "/api/2.0/mlflow/registered-models/get-latest-versions"),
    ("GET", "/api/2.0/mlflow/model-versions/get-download-uri"),
    ("GET", "/api/2.0/mlflow/model-versions/search"),
    ("GET", "/api/2.0/mlflow/registered-models/search"),
    ("GET", "/api/2.0/mlflow/logged-models/m-1"),
    ("POST", "/api/2.0/mlflow/logged-models/search"),
    ("GET", "/api/2.0/mlflow/logged-models/m-1/artifacts/directories"),
    ("GET", "/api/2.0/mlflow/traces/tr-1/info"),
    ("POST", "/api/3.0/mlflow/traces/search"),
    ("GET", "/api/3.0/mlflow/traces/tr-1"),
];

/// Further calls that read although they are POST.
const POSTS_THAT_READ: [&str; 10] = [
    "batchGetTraceInfos",
    "calculateTraceFilterCorrelation",
    "createPresignedDownloadUrl",
    "graphql",
    "queryTraceMetrics",
    "searchDatasets",
    "searchEvaluationDatasets",
    "searchIssues",
    "searchJobs",
    "searchPromptOptimizationJobs",
];

/// The only GETs that are not for readers: they tell about secrets and webhooks, or run programs on the server.
const GETS_FOR_ADMINS: [&str; 7] = [
    "assistant",
    "getGatewaySecretInfo",
    "getGatewaySecretsConfig",
    "getWebhook",
    "listGatewaySecretInfos",
    "listWebhooks",
    "",
];

fn method(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).unwrap()
}

/// A path of a pattern: every placeholder filled in.
fn example(pattern: &str) -> String {
    let parts = pattern.split('/').map(|part| match part {
        part if part.ends_with("...}") => "some/file%20name.txt",
        part if part.starts_with('{') => "id-1",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn every_row_is_found_by_a_path_of_its_pattern() {
    for route in all() {
        let path = example(route.pattern);
        let found =
            look_up(&route.method, &path).unwrap_or_else(|miss| panic!("{miss:?}: {} {path}", route.method));
        assert_eq!((found.pattern, found.name), (route.pattern, route.name), "{} {path}", route.method);
    }
}

#[test]
fn no_two_rows_stand_for_the_same() {
    let mut seen = BTreeSet::new();
    for route in all() {
        let shape: Vec<&str> =
            route.pattern.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
        assert!(
            seen.insert((route.method.to_string(), shape.join("/"))),
            "{} {}",
            route.method,
            route.pattern
        );
    }
    assert!(seen.len() > 400, "{}", seen.len());
}

#[test]
fn the_table_keeps_the_rules_of_roles() {
    for route in all() {
        let Route { name, method, pattern, need, changes, .. } = route;
        let what = format!("{method} {pattern} {name} {need}");
        if name.to_lowercase().contains("delete") || method == Method::DELETE {
            assert_eq!(*need, Role::Admin, "{what}: what deletes is for admins");
        }
        if method == Method::GET && !GETS_FOR_ADMINS.contains(name) {
            assert_eq!((*need, *changes), (Role::Reader, false), "{what}: a GET reads");
        }
        if GETS_FOR_ADMINS.contains(name) {
            assert_eq!(*need, Role::Admin, "{what}");
        }
        if *need == Role::Reader && method != Method::GET {
            let listed = POSTS_THAT_READ.contains(name)
                || *name == "uiTelemetry"
                || READ_ACTIONS.iter().any(|(_, path)| pattern.ends_with(path.trim_start_matches("/api")));
            assert!(listed && method == Method::POST, "{what}: only listed POSTs are for readers");
        }
        assert_eq!(
            *changes,
            method != Method::GET && *need != Role::Reader,
            "{what}: what changes is not for readers"
        );
        for word in ["/webhooks", "/gateway/secrets/"] {
            assert!(!pattern.contains(word) || *need == Role::Admin, "{what}");
        }
        if pattern.contains("/workspaces") && *changes {
            assert_eq!(*need, Role::Admin, "{what}");
        }
    }
}

#[test]
fn the_read_actions_are_open_to_readers_under_both_prefixes() {
    for (name, path) in READ_ACTIONS {
        for path in [path.to_owned(), path.replacen("/api", "/ajax-api", 1)] {
            let route = look_up(&method(name), &path).unwrap();
            assert_eq!(route.need, Role::Reader, "{name} {path}");
        }
    }
}

#[test]
fn what_writes_is_open_to_writers() {
    for (name, path) in [
        ("POST", "/api/2.0/mlflow/experiments/create"),
        ("POST", "/api/2.0/mlflow/runs/create"),
        ("POST", "/api/2.0/mlflow/runs/log-batch"),
        ("POST", "/api/2.0/mlflow/runs/restore"),
        ("POST", "/api/2.0/mlflow/model-versions/transition-stage"),
        ("PUT", "/api/2.0/mlflow-artifacts/artifacts/1/2/artifacts/a%20b.txt"),
        ("POST", "/api/2.0/mlflow-artifacts/mpu/create/1/2/artifacts/model.bin"),
        ("POST", "/api/2.0/mlflow/artifacts/presigned-upload-url"),
        ("POST", "/api/3.0/mlflow/traces"),
        ("POST", "/v1/traces"),
        ("POST", "/ajax-api/2.0/mlflow/upload-artifact"),
        ("POST", "/gateway/my-endpoint/mlflow/invocations"),
    ] {
        let route = look_up(&method(name), path).unwrap();
        assert_eq!((route.need, route.changes), (Role::Writer, true), "{name} {path}");
    }
}

#[test]
fn fields_with_locations_are_told() {
    let create = find(&Method::POST, "/api/2.0/mlflow/experiments/create").unwrap();
    assert_eq!(create.locations.request, ["artifact_location"]);
    let search = find(&Method::POST, "/ajax-api/2.0/mlflow/runs/search").unwrap();
    assert_eq!(search.locations.answer, ["artifact_uri"], "the source of a data set is no place");
    let version = find(&Method::POST, "/api/2.0/mlflow/model-versions/create").unwrap();
    assert_eq!((version.locations.request, version.locations.answer), (&["source"][..], &["source"][..]));
    let trace = find(&Method::GET, "/api/3.0/mlflow/traces/tr-1").unwrap();
    assert_eq!(trace.locations.answer, ["mlflow.artifactLocation"]);
}

#[test]
fn the_method_counts_and_head_reads_as_get_does() {
    let path = "/api/2.0/mlflow/registered-models/alias";
    let name = |method: &str| look_up(&self::method(method), path).map(|route| route.name);
    assert_eq!(name("GET"), Ok("getModelVersionByAlias"));
    assert_eq!(name("HEAD"), Ok("getModelVersionByAlias"));
    assert_eq!(name("POST"), Ok("setRegisteredModelAlias"));
    assert_eq!(name("DELETE"), Ok("deleteRegisteredModelAlias"));
    for other in ["PUT", "OPTIONS", "delete", "post", "get", "PROPFIND"] {
        assert_eq!(name(other), Err(Miss::Unknown), "{other}");
    }
}

#[test]
fn no_trick_of_a_path_finds_another_row() {
    for path in [
        "/api/2.0/mlflow//runs/delete",
        "//api/2.0/mlflow/runs/delete",
        "/api/2.0/mlflow/./runs/delete",
        "/api/2.0/mlflow/runs/search/../delete",
        "/api/2.0/mlflow/runs/search/%2e%2e/delete",
        "/api/2.0/mlflow/runs/search/%2E./delete",
        "/api/2.0/mlflow/runs/search%2f..%2fdelete",
        "/api/2.0/mlflow/runs/search%252f%252e%252e%252fdelete",
        "/api/2.0/mlflow/runs\\search",
        "/api/2.0/mlflow/runs/search%00",
        "/api/2.0/mlflow/runs/search%0a",
        "/api/2.0/mlflow/runs/search\u{fc}",
        "/api/2.0/mlflow/runs/%ff",
        "/api/2.0/mlflow-artifacts/artifacts/../../mlflow/runs/delete",
        "/api/2.0/mlflow-artifacts/artifacts/a/%2e%2e/b",
        "/api/2.0/mlflow-artifacts/artifacts/a%2f..%2f..%2fb",
        "/api/2.0/mlflow-artifacts/artifacts/a/%252e%252e/b",
        "/api/2.0/mlflow-artifacts/artifacts/a%2f%2fb",
        "/api/2.0/mlflow-artifacts/artifacts/a/%2525252525252e%2525252525252e/b",
        "/api/2.0/mlflow-artifacts/artifacts/a%5cb",
        "api/2.0/mlflow/runs/search",
        "*",
        "",
    ] {
        for method in [Method::GET, Method::POST, Method::PUT] {
            assert_eq!(look_up(&method, path), Err(Miss::Ambiguous), "{method} {path}");
        }
    }
    let encoded = "/api/2.0/mlflow/runs/%73earch";
    assert_eq!(
        look_up(&Method::POST, encoded),
        Err(Miss::Ambiguous),
        "no client encodes what is written out"
    );
    for path in [
        "/api/2.0/mlflow/runs/search/",
        "/api/2.0/mlflow/runs/search;x=1",
        "/API/2.0/mlflow/runs/search",
        "/api/2.0/mlflow/Runs/search",
        "/api/2.0/mlflow%2Fruns/search",
        "/api/2.0/mlflow-artifacts/artifacts/",
        "/api/1.0/mlflow/runs/search",
        "/api/3.0/mlflow/traces/a%2Fb",
        "/api/3.0/mlflow/traces/a;b",
        "/api/3.0/mlflow/traces/a%2541",
        "/static-files",
        "/x",
    ] {
        for method in [Method::GET, Method::POST, Method::PUT] {
            assert_eq!(look_up(&method, path), Err(Miss::Unknown), "{method} {path}");
        }
    }
}

#[test]
fn names_of_files_may_be_anything_that_stays_where_it_is() {
    for name in [
        "a",
        "a/b/c.txt",
        "50%25.txt",
        "100%25af",
        "a%20b",
        "%C3%BC",
        "a%2Fb",
        "a+b",
        "a;b",
        "...",
        ".hidden",
        "a:b",
    ] {
        let path = format!("/api/2.0/mlflow-artifacts/artifacts/{name}");
        assert_eq!(look_up(&Method::PUT, &path).map(|route| route.name), Ok("uploadArtifact"), "{path}");
    }
}

#[test]
fn what_is_written_out_goes_before_placeholders() {
    assert_eq!(find(&Method::GET, "/api/3.0/mlflow/traces/get").unwrap().name, "getTrace");
    assert_eq!(find(&Method::GET, "/api/3.0/mlflow/traces/metrics").unwrap().name, "getTraceInfoV3");
    assert_eq!(find(&Method::GET, "/gateway/mlflow/v1/models").unwrap().name, "listGatewayModels");
    assert_eq!(
        find(&Method::POST, "/api/3.0/mlflow/mcp-servers/a/b/versions/1").unwrap().name,
        "changeMcpServer"
    );
}

#[test]
fn ids_are_read_from_the_path() {
    let path = "/api/3.0/mlflow/traces/tr-1/assessments/a%20b";
    let route = find(&Method::PATCH, path).unwrap();
    assert_eq!(route.ids(path), [("trace_id", "tr-1"), ("assessment_id", "a%20b")]);
    let path = "/api/2.0/mlflow-artifacts/artifacts/1/run/artifacts/model.bin";
    let route = find(&Method::PUT, path).unwrap();
    assert_eq!(route.ids(path), [("artifact_path", "1/run/artifacts/model.bin")]);
    assert_eq!(find(&Method::GET, "/version").unwrap().ids("/version"), []);
}

proptest::proptest! {
    #![proptest_config(crate::fuzzing::inputs())]

    #[test]
    fn any_text_is_looked_up(path in "\\PC{0,60}", prefix in proptest::bool::ANY) {
        let path = if prefix { format!("/api/2.0/mlflow/{path}") } else { path };
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let _ = look_up(&method, &path);
        }
    }

    /// Whatever is found, a server that decodes once and knows the same routes finds the same.
    #[test]
    fn what_is_found_is_what_a_decoding_server_sees(parts in proptest::collection::vec(
        proptest::sample::select(vec!["api", "2.0", "3.0", "mlflow", "traces", "search", "..", ".", "", "%2e%2e", "%2F",
            "%73earch", "runs", "delete", "id", "a%2F..", "mlflow-artifacts", "artifacts", "%5c"]), 1..8)) {
        let path = format!("/{}", parts.join("/"));
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let Ok(route) = look_up(&method, &path) else { continue };
            let decoded = percent_encoding::percent_decode_str(&path).decode_utf8().unwrap().into_owned();
            proptest::prop_assert!(!decoded.contains("//") && !decoded.split('/').any(|part| part == ".."));
            let again = look_up(&method, &decoded);
            proptest::prop_assert_eq!(again.map(|route| route.name), Ok(route.name));
        }
    }
}

//! What stands in a line of the audit log.

use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::*;
use crate::access::Role;
use crate::access::testing::find;

/// Keeps the lines as text.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!("{}={value:?} ", field.name()));
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn lines(run: impl FnOnce()) -> Vec<String> {
    let lines = Lines::default();
    tracing::subscriber::with_default(lines.clone(), run);
    lines.0.lock().unwrap().clone()
}

fn entry(method: &Method, path: &str) -> Entry {
    let ann = Identity::new("ann", Role::Writer, "token 0a1b2c3d");
    Entry::new(&ann, method, path, find(method, path), Arc::from("id-7"), [192, 0, 2, 1].into())
}

#[test]
fn a_line_tells_who_did_what_and_what_came_of_it() {
    let path = "/api/3.0/mlflow/datasets/d-1/tags";
    let lines = lines(|| entry(&Method::PATCH, path).finish(StatusCode::OK, 120, 15));
    let [line] = &lines[..] else { panic!("{lines:?}") };
    for part in [
        "user=\"ann\"",
        "role=\"writer\"",
        "credential=\"token 0a1b2c3d\"",
        "method=\"PATCH\"",
        "route=\"setDatasetTags\"",
        "pattern=\"/api/3.0/mlflow/datasets/{dataset_id}/tags\"",
        "ids=\"dataset_id=d-1\"",
        "status=200",
        "bytes_in=120",
        "bytes_out=15",
        "milliseconds=",
        "request_id=\"id-7\"",
        "client=192.0.2.1 ",
        "outcome=\"answered\"",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[test]
fn a_client_that_goes_away_leaves_a_line_too() {
    let lines = lines(|| drop(entry(&Method::POST, "/api/2.0/mlflow/runs/create")));
    assert!(lines.len() == 1 && lines[0].contains("outcome=\"client gone\""), "{lines:?}");
}

#[test]
fn what_turns_out_to_change_nothing_leaves_no_line() {
    let lines = lines(|| entry(&Method::POST, "/graphql").discard());
    assert!(lines.is_empty(), "{lines:?}");
}

#[test]
fn an_unknown_route_is_told_by_its_path_without_end() {
    let path = format!("/x/{}", "é".repeat(LONGEST));
    let lines = lines(|| entry(&Method::POST, &path).finish(StatusCode::NOT_FOUND, 0, 0));
    assert!(lines[0].contains("route=\"unknown\"") && lines[0].len() < 2 * LONGEST + 400, "{lines:?}");
}

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::*;
use crate::aws::{ConnectOptions, InProcess, Sessions, Transport};
use crate::plan::testing::plan;
use crate::{Clock, Control};

/// A Studio domain with an app in a space, whose deletion takes a few looks, and a repository with two images.
#[derive(Debug, Default)]
struct Domain {
    calls: Mutex<Vec<String>>,
    /// The digests of images that were deleted.
    deleted: Mutex<Vec<String>>,
}

impl Domain {
    fn after(calls: &[String], operation: &str) -> Option<usize> {
        calls.iter().position(|call| call == operation).map(|at| calls.len() - at)
    }

    fn answer(&self, operation: &str) -> Value {
        let mut calls = self.calls.lock().unwrap();
        calls.push(operation.to_owned());
        match operation {
            "ListApps" => {
                let status = match Self::after(&calls, "DeleteApp") {
                    None => "InService",
                    Some(looks) if looks < 5 => "Deleting",
                    Some(_) => "Deleted",
                };
                json!({"Apps": [{"SpaceName": "ana", "AppType": "JupyterLab", "AppName": "default", "Status": status}]})
            }
            "ListSpaces" if Self::after(&calls, "DeleteSpace").is_some_and(|looks| looks > 2) => {
                json!({"Spaces": []})
            }
            "ListSpaces" => json!({"Spaces": [{"SpaceName": "ana", "Status": "InService"}]}),
            "ListImages" if Self::after(&calls, "BatchDeleteImage").is_some() => json!({"imageIds": []}),
            "ListImages" if calls.iter().filter(|call| *call == "ListImages").count() == 1 => {
                json!({"imageIds": [{"imageDigest": "sha256:a"}], "nextToken": "more"})
            }
            "ListImages" => json!({"imageIds": [{"imageDigest": "sha256:b", "imageTag": "x"}]}),
            _ => json!({}),
        }
    }
}

#[derive(Debug)]
struct Wire(Arc<Domain>);

impl InProcess for Wire {
    fn call(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'static, Result<http::Response<Bytes>, String>> {
        let target =
            request.headers().get("x-amz-target").and_then(|it| it.to_str().ok()).unwrap_or_default();
        let text = match target.rsplit('.').next() {
            Some(operation) if !operation.is_empty() => {
                let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
                if operation == "BatchDeleteImage" {
                    let ids = body["imageIds"].as_array().into_iter().flatten();
                    let digests = ids.filter_map(|id| Some(id["imageDigest"].as_str()?.to_owned()));
                    self.0.deleted.lock().unwrap().extend(digests);
                }
                self.0.answer(operation).to_string()
            }
            _ => "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/a</Arn>\
                  <UserId>A</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
                .to_owned(),
        };
        let response = http::Response::builder().status(200).body(Bytes::from(text)).expect("an answer");
        Box::pin(async move { Ok(response) })
    }
}

fn removal(kind: RemovalKind, physical_id: &str, name: Option<&str>) -> Removal {
    Removal {
        kind,
        logical_id: "X".to_owned(),
        physical_id: physical_id.to_owned(),
        name: name.map(str::to_owned),
    }
}

/// A domain, who looks at it, and a stack in whose way three things are.
async fn scene() -> (Arc<Domain>, Session, Runtime, StackPlan) {
    let domain = Arc::new(Domain::default());
    let (clock, listener) = (Clock::real(), Arc::new(crate::event::Nobody));
    let sessions = Sessions::new(ConnectOptions {
        profile: None,
        region: Some("eu-west-1".to_owned()),
        transport: Transport::InProcess(Arc::new(Wire(domain.clone()))),
        clock,
        listener: listener.clone(),
    });
    let session = sessions.base().await.unwrap();
    let runtime = Runtime { clock, listener, sessions, control: Control::default() };
    let mut stack = plan().stacks.remove(0);
    stack.removals = vec![
        removal(RemovalKind::RepositoryImages, "images", None),
        removal(RemovalKind::StudioSpace, "d-1", Some("ana")),
        removal(RemovalKind::StudioApp, "d-1", Some("space:ana/JupyterLab/default")),
    ];
    (domain, session, runtime, stack)
}

#[tokio::test(start_paused = true)]
async fn apps_go_before_spaces_and_each_is_waited_for() {
    let (domain, session, runtime, stack) = scene().await;
    remove(&stack, &session, &runtime, &Journal::in_memory()).await.unwrap();
    let mut calls = domain.calls.lock().unwrap().clone();
    assert_eq!(*domain.deleted.lock().unwrap(), ["sha256:a", "sha256:b"], "images of both pages");
    calls.dedup();
    assert_eq!(
        calls,
        [
            "DeleteApp",
            "ListApps",
            "DeleteSpace",
            "ListSpaces",
            "ListImages",
            "BatchDeleteImage",
            "ListImages"
        ]
    );
}

/// Fault 68: what is said after a signal is true of what was removed before it.
#[tokio::test(start_paused = true)]
async fn an_interruption_says_what_was_removed_before_it() {
    let (domain, session, runtime, stack) = scene().await;
    let journal = Journal::in_memory();
    let removing = remove(&stack, &session, &runtime, &journal);
    let (outcome, ()) = tokio::join!(removing, async {
        runtime.clock.sleep(Duration::from_secs(15)).await;
        runtime.control.raise(Wish::Detach);
    });
    let error = outcome.unwrap_err();
    assert_eq!(error.class, Class::Detached);
    assert!(error.message.contains("interrupted when 1 of 3 things"), "{}", error.message);
    assert_eq!(error.hint, Some(format!("`formwork destroy {}` goes on", stack.name)));
    let calls = domain.calls.lock().unwrap().len();
    let error = remove(&stack, &session, &runtime, &journal).await.unwrap_err();
    assert!(error.message.contains("before anything of it was removed"), "{}", error.message);
    assert_eq!(domain.calls.lock().unwrap().len(), calls);
}

#[test]
fn an_app_is_named_with_its_owner() {
    let body = app_body("d-1", "space:ana/JupyterLab/default").unwrap();
    assert_eq!(
        body,
        json!({"DomainId": "d-1", "SpaceName": "ana", "AppType": "JupyterLab", "AppName": "default"})
    );
    let body = app_body("d-1", "user:bo/KernelGateway/a/b").unwrap();
    assert_eq!((&body["UserProfileName"], &body["AppName"]), (&json!("bo"), &json!("a/b")));
    assert_eq!(app_body("d-1", "nonsense"), None);
}

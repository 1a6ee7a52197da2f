//! Whole requests in, whole replies out.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::*;

mod stacks;

const SCOPE: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-west-1/SERVICE/aws4_request, \
                     SignedHeaders=host, Signature=00";

fn simulator(script: &str) -> Simulator {
    let script = script.parse().unwrap();
    Simulator::new(SimulatorOptions { script, region: "eu-west-1".to_owned(), ..SimulatorOptions::default() })
}

fn at(seconds: i64) -> Timestamp {
    "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn query(service: &str, body: &str) -> Request {
    http::Request::post("/")
        .header("authorization", SCOPE.replace("SERVICE", service))
        .header("x-amz-date", "20260101T000000Z")
        .body(Bytes::from(body.to_owned()))
        .unwrap()
}

fn json(service: &str, target: &str, body: &str) -> Request {
    http::Request::post("/")
        .header("authorization", SCOPE.replace("SERVICE", service))
        .header("x-amz-target", target)
        .header("content-type", "application/x-amz-json-1.1")
        .body(Bytes::from(body.to_owned()))
        .unwrap()
}

/// Status and text of an answer; `0` and how it went where there is none.
fn told(reply: Reply) -> (u16, String) {
    match reply {
        Reply::Answer { response, .. } => {
            (response.status().as_u16(), String::from_utf8(response.body().to_vec()).unwrap())
        }
        Reply::Broken { .. } => (0, "broken".to_owned()),
        Reply::Silent => (0, "silent".to_owned()),
    }
}

const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";

#[test]
fn a_caller_is_told_who_it_is() {
    let (status, text) = told(simulator("").respond(at(0), &query("sts", WHO)));
    assert_eq!(status, 200);
    assert!(
        text.contains("<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/simulated</Arn>"),
        "{text}"
    );
}

#[test]
fn a_request_without_a_signature_is_refused() {
    let request = http::Request::post("/").body(Bytes::from(WHO)).unwrap();
    let (status, text) = told(simulator("").respond(at(0), &request));
    assert!(status == 403 && text.contains("MissingAuthenticationToken"), "{status} {text}");
}

#[test]
fn the_same_requests_have_the_same_ids() {
    let ids = || {
        let mut simulator = simulator("");
        let mut id = || match simulator.respond(at(0), &query("sts", WHO)) {
            Reply::Answer { response, .. } => response.headers()["x-amzn-requestid"].clone(),
            other => panic!("{other:?}"),
        };
        (id(), id())
    };
    assert_eq!(ids(), ids());
    assert_ne!(ids().0, ids().1);
}

#[test]
fn an_unknown_operation_is_told_in_the_words_of_its_protocol() {
    let mut simulator = simulator("");
    let (status, text) = told(simulator.respond(at(0), &json("ssm", "AmazonSSM.Dance", "{}")));
    assert!(status == 400 && text.contains("UnknownOperationException"), "{text}");
    let (status, text) = told(simulator.respond(at(0), &query("sts", "Action=Dance")));
    assert!(status == 400 && text.contains("<Code>InvalidAction</Code>"), "{text}");
}

#[test]
fn a_parameter_is_put_and_got() {
    let mut simulator = simulator("parameter /a/b c");
    let put = r#"{"Name":"/a/d","Value":"e","Type":"String"}"#;
    assert_eq!(told(simulator.respond(at(0), &json("ssm", "AmazonSSM.PutParameter", put))).0, 200);
    assert_eq!(told(simulator.respond(at(0), &json("ssm", "AmazonSSM.PutParameter", put))).0, 400);
    let (_, text) = told(
        simulator
            .respond(at(0), &json("ssm", "AmazonSSM.GetParameters", r#"{"Names":["/a/b","/a/d","/x"]}"#)),
    );
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["Parameters"][0]["Value"], "c");
    assert_eq!(found["Parameters"][1]["Value"], "e");
    assert_eq!(found["InvalidParameters"][0], "/x");
    assert!(!format!("{:?}", simulator.log()).contains("\"e\""), "values stay out of the log");
}

/// For fault 9: a service whose clock goes wrong refuses signatures of the right time, and says its time.
#[test]
fn a_wrong_clock_refuses_and_tells_its_time() {
    let mut simulator = simulator("on * skew +20m");
    let Reply::Answer { response, .. } = simulator.respond(at(0), &query("sts", WHO)) else {
        panic!("no answer")
    };
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["date"], "Thu, 01 Jan 2026 00:20:00 GMT");
    assert!(String::from_utf8_lossy(response.body()).contains("SignatureDoesNotMatch"));
}

/// For fault 4: roles that cannot be assumed, or only with an external id.
#[test]
fn a_role_is_refused_without_its_external_id() {
    let mut simulator = simulator("role deploy external-id red\nrole locked denied");
    let assume = |role: &str, more: &str| {
        query(
            "sts",
            &format!(
                "Action=AssumeRole&RoleSessionName=session&RoleArn=arn:aws:iam::111122223333:role/{role}{more}"
            ),
        )
    };
    assert_eq!(told(simulator.respond(at(0), &assume("deploy", ""))).0, 403);
    assert_eq!(told(simulator.respond(at(0), &assume("locked", "&ExternalId=red"))).0, 403);
    let (status, text) = told(simulator.respond(at(0), &assume("deploy", "&ExternalId=red")));
    assert!(status == 200 && text.contains("assumed-role/deploy/session"), "{text}");
}

/// For fault 3: a role's session is over at its time.
#[test]
fn a_session_ends() {
    let mut simulator = simulator("sessions last 60s");
    let assume = "Action=AssumeRole&RoleSessionName=session&RoleArn=arn:aws:iam::111122223333:role/r";
    let (_, text) = told(simulator.respond(at(0), &query("sts", assume)));
    let piece = |name: &str| {
        let rest = text.split_once(&format!("<{name}>")).unwrap().1;
        rest.split_once('<').unwrap().0.to_owned()
    };
    let mut request = query("sts", WHO);
    let scope = SCOPE.replace("SERVICE", "sts").replace("AKIDEXAMPLE", &piece("AccessKeyId"));
    request.headers_mut().insert("authorization", scope.parse().unwrap());
    request.headers_mut().insert("x-amz-security-token", piece("SessionToken").parse().unwrap());
    let (status, who) = told(simulator.respond(at(59), &request));
    assert!(status == 200 && who.contains("<Account>111122223333</Account>"), "{who}");
    let (status, who) = told(simulator.respond(at(60), &request));
    assert!(status == 403 && who.contains("ExpiredToken"), "{who}");
}

/// For faults 16 and 18: what happens to answers on the way.
#[test]
fn answers_are_lost_cut_and_emptied() {
    let mut simulator = simulator(
        "on GetCallerIdentity#1 accept-then-drop; on GetCallerIdentity#2 truncate 30; on GetCallerIdentity#3 empty\n\
         on GetCallerIdentity#4 error 500 InternalFailure \"oh no\"\non GetCallerIdentity#5 hang",
    );
    let mut ask = || told(simulator.respond(at(0), &query("sts", WHO)));
    assert_eq!(ask(), (0, "broken".to_owned()));
    assert_eq!(ask(), (200, "<?xml version=\"1.0\" encoding=\"".to_owned()));
    assert_eq!(ask(), (200, String::new()));
    let (status, text) = ask();
    assert!(
        status == 500 && text.contains("<Type>Receiver</Type><Code>InternalFailure</Code><Message>oh no"),
        "{text}"
    );
    assert_eq!(ask(), (0, "silent".to_owned()));
    assert_eq!(ask().0, 200);
    let done: Vec<bool> = simulator.log().entries().iter().map(|entry| entry.done).collect();
    assert_eq!(done, [true, true, true, false, false, true]);
}

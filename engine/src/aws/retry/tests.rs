use std::time::Duration;

use super::super::fake::{Answer, Fake, fake, refused, sts, throttled};
use super::super::{ErrorKind, Patience};
use crate::event::What;
use std::sync::Arc;

const STACKS: &str = "<Stacks><member><StackName>net</StackName><StackId>arn:aws:cloudformation:us-east-1:123456789012:stack/net/1</StackId><StackStatus>CREATE_COMPLETE</StackStatus></member></Stacks>";

fn stacks() -> Answer {
    Answer::Result(STACKS.to_owned())
}

/// A service that fails a number of times before it works.
fn failing(times: usize, failure: impl Fn() -> Answer + Send + Sync + 'static) -> Arc<Fake> {
    fake(move |seen, before| sts(seen).unwrap_or_else(|| if before < times { failure() } else { stacks() }))
}

/// Fault 13: a service that throttles for ten minutes slows the calls down and fails none.
#[tokio::test(start_paused = true)]
async fn ten_minutes_of_throttling_only_slow_a_read_down() {
    let begun = tokio::time::Instant::now();
    let service = fake(move |seen, _| {
        let over = begun.elapsed() > Duration::from_secs(600);
        sts(seen).unwrap_or_else(|| if over { stacks() } else { throttled() })
    });
    let session = service.session().await;
    let stack = session.cloudformation().stack("net").await.expect("works in the end");
    assert_eq!(stack.expect("is there").name, "net");
    let asked = service.seen("DescribeStacks").len();
    assert!((30..200).contains(&asked), "{asked}");
    assert!(
        service
            .told()
            .iter()
            .any(|what| matches!(what, What::Throttled { next_seconds } if *next_seconds >= 0.2))
    );
}

#[tokio::test(start_paused = true)]
async fn patience_ends() {
    let service = failing(usize::MAX, throttled);
    let client = service.session().await.cloudformation().with_patience(Patience::new(30, 5));
    let begun = tokio::time::Instant::now();
    let failed = client.stack("net").await.expect_err("throttled for ever");
    assert_eq!(failed.kind, ErrorKind::Throttled { retry_after: None });
    // Waiting for its turn comes on top.
    assert!(begun.elapsed() <= Duration::from_secs(40), "{:?}", begun.elapsed());
}

/// Fault 18: failed servers, pages of a proxy, cut and empty answers are asked again.
#[tokio::test(start_paused = true)]
async fn broken_answers_are_asked_for_again() {
    type Failure = fn() -> Answer;
    let failures: [(&str, Failure); 9] = [
        ("500", || Answer::Refused(500, "InternalFailure", "oops".to_owned())),
        ("503 without a body", || Answer::Raw(503, String::new(), None)),
        ("502 of a proxy", || Answer::Raw(502, "<html>bad gateway".to_owned(), None)),
        ("empty 200", || Answer::Raw(200, String::new(), None)),
        ("cut 200", || {
            Answer::Raw(
                200,
                "<DescribeStacksResponse xmlns=\"u\"><DescribeStacksResult><Stacks><mem".to_owned(),
                None,
            )
        }),
        ("web page", || Answer::Raw(200, "<html><body>log in</body></html>".to_owned(), None)),
        ("no XML", || Answer::Raw(200, "hello".to_owned(), None)),
        ("cut refusal", || Answer::Raw(400, "<ErrorResponse><Error><Co".to_owned(), None)),
        ("closed connection", || Answer::Broken),
    ];
    for (name, failure) in failures {
        let service = failing(3, failure);
        let stack = service.session().await.cloudformation().stack("net").await;
        assert!(matches!(stack, Ok(Some(_))), "{name}: {stack:?}");
        assert_eq!(service.seen("DescribeStacks").len(), 4, "{name}");
    }
}

/// A request that is wrong is not sent for minutes because its refusal names no code.
#[tokio::test(start_paused = true)]
async fn a_refusal_without_a_code_is_final() {
    for (status, body) in
        [(400, ""), (400, "no such thing"), (405, "<html><br>no"), (400, "<R><Message>no</Message></R>")]
    {
        let service = failing(usize::MAX, move || Answer::Raw(status, body.to_owned(), None));
        let failed = service.session().await.cloudformation().stack("net").await.expect_err("refused");
        assert_eq!(failed.kind, ErrorKind::Invalid, "{body}");
        assert_eq!(service.seen("DescribeStacks").len(), 1, "{body}");
    }
}

/// Hundreds of calls wait for their turn longer than a call may fail: that is no time of the service's.
#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_uses_up_no_patience() {
    let service = fake(|seen, _| {
        sts(seen).unwrap_or_else(|| match seen.get("StackName") {
            "last" => throttled(),
            _ => stacks(),
        })
    });
    let session = service.session().await;
    let patient = session.cloudformation();
    let hasty = session.cloudformation().with_patience(Patience::new(20, 20));
    let before = futures_util::future::join_all((0..300).map(|_| patient.stack("net")));
    let (_, last) = tokio::join!(before, hasty.stack("last"));
    assert!(last.is_err());
    let asked = service.seen("DescribeStacks").iter().filter(|seen| seen.get("StackName") == "last").count();
    assert!(asked > 1, "the call was given up after {asked} attempt");
}

/// Fault 18, as it hurts most: an answer without the stack that was asked for is a broken answer, never a deletion.
#[tokio::test(start_paused = true)]
async fn no_stacks_for_a_named_stack_is_no_deletion() {
    let service = failing(2, || Answer::Result("<Stacks/>".to_owned()));
    let client = service.session().await.cloudformation().clone();
    assert!(client.stack("net").await.expect("works").is_some());
    let never = failing(usize::MAX, || Answer::Result("<Stacks/>".to_owned()));
    let client = never.session().await.cloudformation().with_patience(Patience::new(5, 5));
    assert_eq!(client.stack("net").await.expect_err("no answer").kind, ErrorKind::Protocol);
}

/// Fault 17: a network that is down for minutes is told of and waited for.
#[tokio::test(start_paused = true)]
async fn a_silent_service_is_given_up_after_seconds_and_asked_again() {
    let service = failing(3, || Answer::Silent);
    let client = service.session().await.cloudformation().clone();
    let begun = tokio::time::Instant::now();
    assert!(client.stack("net").await.expect("works").is_some());
    // Without limits of time the SDK would wait for ever.
    assert!(begun.elapsed() < Duration::from_secs(150), "{:?}", begun.elapsed());
    let told = service.told();
    assert!(
        told.iter().any(|what| matches!(what, What::Unreachable { seconds, .. } if *seconds >= 25.0)),
        "{told:?}"
    );
}

/// Fault 3: credentials that expire while a deployment runs and do not come back are said to be expired, which is no
/// failure of the deployment.
#[tokio::test(start_paused = true)]
async fn expired_credentials_that_stay_expired_are_named() {
    for code in ["ExpiredToken", "RequestExpired", "InvalidClientTokenId"] {
        let service = fake(move |seen, _| {
            sts(seen)
                .unwrap_or_else(|| refused(code, "The security token included in the request is expired"))
        });
        let session = service.session().await;
        let failed = session.cloudformation().stack("net").await.expect_err("expired");
        assert_eq!(failed.kind, ErrorKind::ExpiredCredentials, "{code}");
        assert_eq!(service.seen("DescribeStacks").len(), 1, "the same credentials are not tried twice");
    }
}

/// Fault 3: a role's credentials are had again when a service says that they are expired, once for all calls that fail
/// together.
#[tokio::test(start_paused = true)]
async fn expired_role_credentials_are_renewed_once_for_all() {
    let service = fake(|seen, before| match seen.action.as_str() {
        "AssumeRole" => Answer::Result(super::super::fake::role_credentials(
            &format!("ASIA{before}"),
            "2999-01-01T00:00:00Z",
        )),
        "DescribeStacks" if seen.key() == "ASIA0" => refused("ExpiredToken", "expired"),
        "DescribeStacks" => stacks(),
        _ => sts(seen).expect("STS"),
    });
    let session =
        service.session().await.assuming("arn:aws:iam::123456789012:role/r", None).await.expect("assumes");
    let client = session.cloudformation();
    let (one, two, three) = tokio::join!(client.stack("net"), client.stack("net"), client.stack("net"));
    for answer in [one, two, three] {
        assert!(answer.expect("works").is_some());
    }
    assert_eq!(service.seen("AssumeRole").len(), 2);
}

/// Credentials of a role are renewed before they end, without a failed call.
#[tokio::test(start_paused = true)]
async fn role_credentials_are_renewed_before_their_end() {
    let service = fake(|seen, before| match seen.action.as_str() {
        "AssumeRole" => {
            let end = jiff::Timestamp::now() + Duration::from_secs(if before == 0 { 3_600 } else { 36_000 });
            Answer::Result(super::super::fake::role_credentials(&format!("ASIA{before}"), &end.to_string()))
        }
        "DescribeStacks" => stacks(),
        _ => sts(seen).expect("STS"),
    });
    let session =
        service.session().await.assuming("arn:aws:iam::123456789012:role/r", None).await.expect("assumes");
    session.cloudformation().stack("net").await.expect("works");
    tokio::time::advance(Duration::from_secs(3_600 - 240)).await;
    session.cloudformation().stack("net").await.expect("works");
    let keys: Vec<_> = service.seen("DescribeStacks").iter().map(|seen| seen.key()).collect();
    assert_eq!(keys, ["ASIA0", "ASIA1"]);
}

/// Fault 9: a clock that is wrong by 20 minutes is corrected by the service's own, and all later calls are right at once.
#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_corrected_by_the_services() {
    let service = fake(|seen, before| match seen.action.as_str() {
        "DescribeStacks" if before == 0 => skewed(20),
        "DescribeStacks" => stacks(),
        _ => sts(seen).expect("STS"),
    });
    let session = service.session().await;
    session.cloudformation().stack("net").await.expect("works");
    session.cloudformation().stack("net").await.expect("works");
    let signed: Vec<_> = service
        .seen("DescribeStacks")
        .iter()
        .map(|seen| seen.headers["x-amz-date"].to_str().expect("text").to_owned())
        .collect();
    assert_eq!(signed.len(), 3);
    let time =
        |index: usize| jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", &signed[index]).expect("a time");
    for later in [1, 2] {
        let seconds = time(0).duration_until(time(later)).as_secs();
        assert!((1_195..1_205).contains(&seconds), "{signed:?}");
    }
}

/// Fault 9: when that does not help, the difference is told.
#[tokio::test(start_paused = true)]
async fn a_clock_that_cannot_be_corrected_is_named_with_its_difference() {
    let service = fake(|seen, _| sts(seen).unwrap_or_else(|| skewed(20)));
    let session = service.session().await;
    let failed = session.cloudformation().stack("net").await.expect_err("refused");
    assert_eq!(failed.kind, ErrorKind::Credentials);
    let told = failed.message.contains("20 minutes behind") || failed.message.contains("19 minutes behind");
    assert!(told, "{}", failed.message);
    assert_eq!(service.seen("DescribeStacks").len(), 2);
}

fn skewed(minutes: i64) -> Answer {
    let server = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
    let date = server.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let text = "<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>Signature expired</Message></Error></ErrorResponse>";
    Answer::Raw(403, text.to_owned(), Some(date))
}

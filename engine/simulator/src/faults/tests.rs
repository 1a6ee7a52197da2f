//! Scripts as text: what they mean, and what is said of those that mean nothing.

use super::*;
use crate::cloudformation::faults::{DriftChange, Moment, Outcome};

fn script(text: &str) -> Script {
    text.parse().unwrap()
}

fn wrong(text: &str) -> (usize, String) {
    let error = text.parse::<Script>().unwrap_err();
    (error.line, error.message)
}

fn plan(script: &mut Script, service: &str, operation: &str, seconds: u64) -> Plan {
    script.decide(&Occurrence {
        service,
        operation,
        names: &["web".to_owned()],
        credential: Some("AKIA1"),
        paged: false,
        elapsed: Duration::from_secs(seconds),
    })
}

fn throttles(plan: &Plan) -> bool {
    matches!(&plan.before, Some(Before::Error(error)) if error.code.starts_with("Throttling"))
}

#[test]
fn calls_are_counted_by_rule() {
    let mut script =
        script("on Execute*#2 throttle\non DescribeStacks#2-3 refuse; on DescribeStacks#4+ hang");
    let executed: Vec<bool> =
        (0..3).map(|_| throttles(&plan(&mut script, "cloudformation", "ExecuteChangeSet", 0))).collect();
    assert_eq!(executed, [false, true, false]);
    let described: Vec<Option<Before>> =
        (0..5).map(|_| plan(&mut script, "cloudformation", "DescribeStacks", 0).before).collect();
    let (refuse, hang) = (Some(Before::Refuse), Some(Before::Hang));
    assert_eq!(described, [None, refuse.clone(), refuse, hang.clone(), hang]);
}

#[test]
fn a_rule_has_its_time() {
    let mut script = script("on * after 3s for 60s throttle");
    let times: Vec<bool> =
        [2, 3, 62, 63].map(|at| throttles(&plan(&mut script, "cloudformation", "ListStacks", at))).to_vec();
    assert_eq!(times, [false, true, true, false]);
    let mut script = self::script("on * between 10s and 5m refuse");
    let times: Vec<bool> =
        [9, 10, 299, 300].map(|at| plan(&mut script, "s3", "PutObject", at).before.is_some()).to_vec();
    assert_eq!(times, [false, true, true, false]);
}

#[test]
fn a_rule_can_be_about_a_service_and_a_name() {
    let mut script = script("on s3:* refuse\non DescribeStacks of w* hang\non ListStacks of other hang");
    assert_eq!(plan(&mut script, "s3", "PutObject", 0).before, Some(Before::Refuse));
    assert_eq!(plan(&mut script, "cloudformation", "DescribeStacks", 0).before, Some(Before::Hang));
    assert_eq!(plan(&mut script, "cloudformation", "ListStacks", 0).before, None);
}

#[test]
fn throttling_is_told_in_the_words_of_the_service() {
    let mut script = script("on * throttle");
    let mut code = |service| match plan(&mut script, service, "Any", 0).before {
        Some(Before::Error(error)) => (error.status, error.code),
        other => panic!("{other:?}"),
    };
    assert_eq!(code("cloudformation"), (400, "Throttling".to_owned()));
    assert_eq!(code("s3"), (503, "SlowDown".to_owned()));
    assert_eq!(code("ssm"), (400, "ThrottlingException".to_owned()));
}

/// For fault 3: credentials that were in use are expired from a time on, and fresh ones are not.
#[test]
fn credentials_expire_and_fresh_ones_do_not() {
    let mut script = script("on * expired-token after 60s");
    let mut ask = |credential, seconds| {
        let plan = script.decide(&Occurrence {
            service: "cloudformation",
            operation: "DescribeStacks",
            names: &[],
            credential: Some(credential),
            paged: false,
            elapsed: Duration::from_secs(seconds),
        });
        plan.before.is_some()
    };
    assert!(!ask("AKIAOLD", 0));
    assert!(ask("AKIAOLD", 60));
    assert!(!ask("AKIANEW", 61));
    assert!(ask("AKIAOLD", 62));
}

#[test]
fn answers_are_damaged_in_the_order_of_the_script() {
    let mut script = script(
        "on X duplicate; on X reorder; on X truncate 120; on X latency 200ms; on X stale 3s; on X skew -20m",
    );
    let plan = plan(&mut script, "cloudformation", "X", 0);
    assert_eq!(plan.after, [After::Duplicate, After::Reorder, After::Truncate(120)]);
    assert_eq!(plan.latency, Duration::from_millis(200));
    assert_eq!(plan.stale, Some(Duration::from_secs(3)));
    assert_eq!(plan.skew, SignedDuration::from_mins(-20));
    assert_eq!(script.memory(), Some(Duration::from_secs(3)));
}

#[test]
fn resources_fail_by_name_stack_and_attempt() {
    let script = script(
        "resource Db fail \"LimitExceeded: no more\"\nresource web/Db#2 never\nresource Slow slow 600s\n\
         rollback of Db fails\ndelete of web/Db fails \"in use\"\ndrift web/Db /Size 5; drift web/Db deleted\n\
         validation web/Db NAME_CONFLICT_VALIDATION \"taken\" /Resources/Db warns\n\
         hook web/Db Acme::Guard::Hook \"no\"\nchange-set of web never",
    );
    let faults = &script.resources;
    let first = &faults.resources[0];
    assert_eq!((first.moment, first.stack.clone()), (Some(Moment::Create), None));
    assert_eq!(first.outcome, Outcome::Fail { reason: "LimitExceeded: no more".to_owned(), after: None });
    assert_eq!(faults.resources[1].moment, Some(Moment::Update));
    let never = &faults.resources[2];
    assert_eq!(
        (never.stack.as_deref(), never.attempt, &never.outcome),
        (Some("web"), Some(2), &Outcome::Never)
    );
    assert_eq!(faults.resources[3].outcome, Outcome::Takes(Duration::from_secs(600)));
    assert_eq!(faults.resources[4].moment, Some(Moment::Rollback));
    assert_eq!(faults.resources[5].moment, Some(Moment::Delete));
    assert!(matches!(&faults.drifts[0].change, DriftChange::Property { path, actual: Some(value) }
        if path == "/Size" && *value == serde_json::json!(5)));
    assert_eq!(faults.drifts[1].change, DriftChange::Deleted);
    assert!(!faults.validations[0].fails && faults.hooks[0].fails);
    assert_eq!(faults.stuck_change_sets, ["web"]);
}

#[test]
fn a_script_that_cannot_be_read_says_the_line_and_what_is_known() {
    let (line, message) = wrong("# a comment\n\non DescribeStacks throtle");
    assert_eq!(line, 3);
    assert!(message.starts_with("\"throtle\" is no effect; known are throttle, refuse"), "{message}");
    for (text, said) in [
        ("in X hang", "\"in\" is no statement; known are on, resource"),
        ("on X", "the effect is missing"),
        ("on X#0 hang", "\"0\" is not a count of calls"),
        ("on X after 3 hang", "\"3\" is not a duration such as 250ms"),
        ("on X between 3s until 5s hang", "\"until\" stands where \"and\" should"),
        ("on X hang hang", "\"hang\" is no word"),
        ("on X error 200 Fine", "200 is not the HTTP status of an error"),
        ("on X body \"open", "a quotation mark is not closed"),
        ("bucket b owner 12", "\"12\" is not the twelve digits"),
        ("bucket b", "the line ends where one of these should stand: exists, owner"),
        ("role r denied now", "\"now\" stands after the end"),
        ("drift Db deleted", "\"Db\" has to be named with its stack, as stack/Db"),
        ("resource Db explode", "\"explode\" is no effect on a resource; known are fail"),
    ] {
        let (_, message) = wrong(text);
        assert!(message.starts_with(said), "{text}: {message}");
    }
}

#[test]
fn stars_stand_for_any_letters() {
    for (pattern, text, wanted) in [
        ("*", "", true),
        ("a*", "abc", true),
        ("*c", "abc", true),
        ("a*c", "abc", true),
        ("a*b*c", "axxbyyc", true),
        ("a*c", "ab", false),
        ("abc", "abcd", false),
        ("a*a", "a", false),
    ] {
        assert_eq!(fits(pattern, text), wanted, "{pattern} {text}");
    }
}

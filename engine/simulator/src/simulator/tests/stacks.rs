//! Faults around stacks: lost answers, stale and shuffled reads, pages, tokens.

use super::*;

const TEMPLATE: &str =
    "{\"Resources\":{\"A\":{\"Type\":\"AWS::SQS::Queue\"},\"B\":{\"Type\":\"AWS::SQS::Queue\"}}}";

fn create(name: &str, token: &str) -> Request {
    query(
        "cloudformation",
        &format!("Action=CreateStack&StackName={name}&ClientRequestToken={token}&TemplateBody={TEMPLATE}"),
    )
}

fn read(action: &str, name: &str) -> Request {
    query("cloudformation", &format!("Action={action}&StackName={name}"))
}

/// The texts of all elements of a name, in order.
fn all(text: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    text.split(&open).skip(1).filter_map(|rest| Some(rest.split_once(&close)?.0.to_owned())).collect()
}

fn status(simulator: &mut Simulator, seconds: i64) -> String {
    let (_, text) = told(simulator.respond(at(seconds), &read("DescribeStacks", "web")));
    all(&text, "StackStatus").pop().unwrap_or(text)
}

/// For fault 16: the answer is lost, the operation is not, and a repeat with the token changes nothing.
#[test]
fn a_lost_answer_and_its_repeat_are_one_effect() {
    let mut simulator = simulator("on CreateStack#1 accept-then-drop");
    assert_eq!(told(simulator.respond(at(0), &create("web", "token-1"))).1, "broken");
    let (first, text) = told(simulator.respond(at(1), &create("web", "token-1")));
    assert_eq!(first, 200, "{text}");
    assert_eq!(simulator.log().effects().count(), 1);
    assert_eq!(told(simulator.respond(at(2), &create("web", "token-2"))).0, 400);
}

/// For fault 15: what is throttled did not happen.
#[test]
fn a_throttled_call_has_no_effect() {
    let mut simulator = simulator("on CreateStack#1 throttle");
    let (code, text) = told(simulator.respond(at(0), &create("web", "token-1")));
    assert!(code == 400 && text.contains("<Code>Throttling</Code>"), "{text}");
    assert_eq!(simulator.log().effects().count(), 0);
    assert_eq!(told(simulator.respond(at(1), &read("DescribeStacks", "web"))).0, 400);
}

/// For fault 20: reads show what was true a while before, also what time brings about by itself.
#[test]
fn a_stale_read_shows_the_past() {
    let mut simulator = simulator("on DescribeStacks stale 10s");
    told(simulator.respond(at(0), &create("web", "token-1")));
    assert!(status(&mut simulator, 9).contains("Stack with id web does not exist"));
    assert_eq!(status(&mut simulator, 10), "CREATE_IN_PROGRESS");
    let (_, now) = told(simulator.respond(at(100), &read("DescribeStackEvents", "web")));
    let end = &all(&now, "Timestamp")[0];
    let end: Timestamp = end.parse().unwrap();
    let before = end.duration_since(at(0)).as_secs() + 9;
    // Time does not run backwards: another simulator looks at the moments before.
    let mut other = self::simulator("on DescribeStacks stale 10s");
    told(other.respond(at(0), &create("web", "token-1")));
    assert_eq!(status(&mut other, before), "CREATE_IN_PROGRESS");
    assert_eq!(status(&mut other, before + 2), "CREATE_COMPLETE");
}

/// For fault 20: the past has the same names and ids as the present.
#[test]
fn the_past_has_the_same_ids() {
    let mut simulator = simulator("on DescribeStackResources of web stale 10s");
    told(simulator.respond(at(0), &create("web", "token-1")));
    let (_, late) = told(simulator.respond(at(200), &read("DescribeStackResources", "web")));
    let (_, events) = told(simulator.respond(at(200), &read("DescribeStackEvents", "web")));
    let ids = all(&late, "PhysicalResourceId");
    assert_eq!(ids.len(), 2, "{late}");
    assert!(ids.iter().all(|id| events.contains(id)), "{ids:?} {events}");
}

/// For fault 20: events come twice, or in the wrong order.
#[test]
fn events_are_doubled_and_turned_around() {
    let ids = |script: &str| {
        let mut simulator = simulator(script);
        told(simulator.respond(at(0), &create("web", "token-1")));
        let (_, text) = told(simulator.respond(at(100), &read("DescribeStackEvents", "web")));
        all(&text, "EventId")
    };
    let plain = ids("");
    let turned: Vec<String> = plain.iter().rev().cloned().collect();
    let doubled: Vec<String> = plain.iter().flat_map(|id| [id.clone(), id.clone()]).collect();
    assert_eq!(ids("on DescribeStackEvents reorder"), turned);
    assert_eq!(ids("on DescribeStackEvents duplicate"), doubled);
}

/// For fault 13: a time without answers leaves the operation alone.
#[test]
fn an_operation_goes_on_while_nobody_can_ask() {
    let mut simulator = simulator("on * between 1s and 10m refuse");
    told(simulator.respond(at(0), &create("web", "token-1")));
    assert_eq!(told(simulator.respond(at(300), &read("DescribeStacks", "web"))).1, "broken");
    assert_eq!(status(&mut simulator, 600), "CREATE_COMPLETE");
}

#[test]
fn a_bucket_of_a_stack_is_there_for_everybody_and_stays_while_it_holds_something() {
    let mut simulator = simulator("");
    let template = "{\"Resources\":{\"B\":{\"Type\":\"AWS::S3::Bucket\",\"Properties\":{\"BucketName\":\"of-a-stack\"}},\
                    \"P\":{\"Type\":\"AWS::SSM::Parameter\",\"Properties\":{\"Name\":\"/p\",\"Type\":\"String\",\"Value\":\"v\"}}}}";
    let make = format!("Action=CreateStack&StackName=web&TemplateBody={template}");
    told(simulator.respond(at(0), &query("cloudformation", &make)));
    assert_eq!(status(&mut simulator, 200), "CREATE_COMPLETE");
    simulator.services_mut().storage.put("of-a-stack", "key", "x");
    let (_, text) =
        told(simulator.respond(at(200), &json("ssm", "AmazonSSM.GetParameter", "{\"Name\":\"/p\"}")));
    assert!(text.contains("\"Value\":\"v\""), "{text}");
    told(simulator.respond(at(201), &read("DeleteStack", "web")));
    assert_eq!(status(&mut simulator, 400), "DELETE_FAILED");
    assert!(simulator.services_mut().storage.bucket("of-a-stack").is_some());
    let (_, text) =
        told(simulator.respond(at(400), &json("ssm", "AmazonSSM.GetParameter", "{\"Name\":\"/p\"}")));
    assert!(text.contains("ParameterNotFound"), "{text}");
}

use super::*;

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn resource(path: &[&str], status: &str) -> ResourceProgress {
    ResourceProgress {
        path: path.iter().map(|&id| id.to_owned()).collect(),
        resource_type: "AWS::SNS::Topic".to_owned(),
        status: status.to_owned(),
        physical_id: None,
        reason: None,
        construct_path: None,
    }
}

/// A stack with three of twelve resources done and one that takes its time.
fn row() -> Row {
    let mut row = Row::new("create", time(0)).expecting(Some(12), Some(Duration::from_secs(130)));
    for id in ["One", "Two", "Three"] {
        row.take(&resource(&[id], "CREATE_IN_PROGRESS"), time(1));
        row.take(&resource(&[id], "CREATE_COMPLETE"), time(2));
    }
    row.take(&resource(&["VpcEndpointOfTheRegistry"], "CREATE_IN_PROGRESS"), time(3));
    row.take(&resource(&["Later"], "CREATE_IN_PROGRESS"), time(9));
    row
}

const NAME: &str = "mlplatform-serverless-networking";

/// Fault 73: a line keeps its name and its count in 20 columns, and says more the wider the terminal is.
#[test]
fn a_line_says_as_much_as_its_width_takes() {
    let row = row();
    let line = |name: &str, width| row.glance(name, time(41)).line(width, 0);
    assert_eq!(line(NAME, 20), "…ss-networking  3/12");
    assert_eq!(line(NAME, 40), "mlplatform-serverless-networking  3/12");
    assert_eq!(line(NAME, 80), "mlplatform-serverless-networking  create  3/12  0:41 of about 2:10");
    assert_eq!(
        line(NAME, 160),
        "mlplatform-serverless-networking  create  3/12  0:41 of about 2:10  waits for VpcEndpointOfTheRegistry (SNS::Topic)"
    );
    assert_eq!(line("data", 20), "data  3/12  0:41");
    assert_eq!(line("data", 40), "data  create  3/12  0:41 of about 2:10");
}

/// Fault 73: no width makes a line wider than the terminal.
#[test]
fn no_line_is_wider_than_the_terminal() {
    let row = row();
    for width in 0..200 {
        for (name, column) in [(NAME, 0), ("a", 32), ("mlplatform-networking", 40)] {
            let line = row.glance(name, time(4000)).line(width, column);
            assert!(columns(&line) <= width, "{width}: {line:?}");
        }
    }
}

#[test]
fn names_of_several_stacks_stand_below_each_other_where_there_is_room() {
    let row = Row::new("update", time(0));
    assert_eq!(row.glance("a", time(3)).line(40, 6), "a       update  0:03");
    assert_eq!(row.glance("a", time(3)).line(20, 6), "a       update  0:03");
    assert_eq!(row.glance("a", time(3)).line(16, 6), "a  update  0:03");
}

#[test]
fn a_nested_stack_gives_way_to_what_is_in_it() {
    let mut row = Row::new("create", time(0));
    row.take(&resource(&["Nested"], "CREATE_IN_PROGRESS"), time(1));
    row.take(&resource(&["Nested", "Inner"], "CREATE_IN_PROGRESS"), time(5));
    row.take(&resource(&["Other"], "CREATE_IN_PROGRESS"), time(7));
    let seen = row.glance("a", time(8));
    assert_eq!(seen.waits_for.as_deref(), Some("waits for Nested/Inner (SNS::Topic)"));
    row.take(&resource(&["Nested", "Inner"], "CREATE_COMPLETE"), time(9));
    assert_eq!(row.glance("a", time(9)).waits_for.as_deref(), Some("waits for Nested (SNS::Topic)"));
}

#[test]
fn a_status_that_was_told_is_no_news_and_a_failure_is_named() {
    let mut row = row();
    assert!(row.take(&resource(&["Later"], "CREATE_FAILED"), time(10)));
    assert!(!row.take(&resource(&["Later"], "CREATE_FAILED"), time(11)));
    assert_eq!(row.glance("a", time(11)).activity, "create failed");
    assert_eq!(row.glance("a", time(11)).count, Some((3, 12)));
}

#[test]
fn hours_are_shown_when_there_are_some() {
    let shown = [0, 41, 130, 3730].map(|seconds| clock(Duration::from_secs(seconds)));
    assert_eq!(shown, ["0:00", "0:41", "2:10", "1:02:10"]);
}

//! Alarms and the dashboard.

use formwork::{Json, TopicArn};
use serde_json::json;

use super::{named, of_type, one, template};
use crate::proxy_app::ProxyAppProps;

#[test]
fn alarms_see_a_proxy_that_is_down_and_why_requests_fail() {
    let template = template(|props| props);
    let alarms = of_type(&template, "AWS::CloudWatch::Alarm");
    let mut watched: Vec<(&str, &str)> = alarms
        .iter()
        .map(|alarm| &alarm["Properties"])
        .map(|it| (it["Namespace"].as_str().expect("text"), it["MetricName"].as_str().expect("text")))
        .collect();
    watched.sort_unstable();
    let balancer = "AWS/ApplicationELB";
    let proxy = "Formwork/MlflowProxy";
    let wanted = [
        (balancer, "HTTPCode_ELB_5XX_Count"),
        (balancer, "HTTPCode_Target_5XX_Count"),
        (balancer, "HealthyHostCount"),
        (balancer, "TargetResponseTime"),
        (balancer, "UnHealthyHostCount"),
        (proxy, "CredentialRefreshFailures"),
        (proxy, "UpstreamErrors"),
    ];
    assert_eq!(watched, wanted);
    for alarm in &alarms {
        let properties = &alarm["Properties"];
        assert!(properties.get("AlarmActions").is_none(), "nobody is told without a topic");
        assert!(properties["AlarmDescription"].as_str().expect("text").contains("MLflow"));
    }
    let down = &named(&template, "ProxyNoHealthyHostAlarm")["Properties"];
    assert_eq!(down["TreatMissingData"], "breaching", "a proxy that is gone has no figures");
    let dimensions = |alarm: &str| named(&template, alarm)["Properties"]["Dimensions"].to_string();
    assert!(dimensions("ProxyNoHealthyHostAlarm").contains("TargetGroupFullName"));
    assert!(
        dimensions("ProxyCredentialsAlarm").contains("\"LogGroup\"")
            && dimensions("ProxyCredentialsAlarm").contains("ProxyLogs")
    );
}

#[test]
fn a_topic_is_told_of_every_alarm_and_of_its_end() {
    let topic = "arn:aws:sns:us-east-1:123456789012:operators";
    let template = template(|props| ProxyAppProps { alarm_topic: Some(TopicArn::literal(topic)), ..props });
    for alarm in of_type(&template, "AWS::CloudWatch::Alarm") {
        assert_eq!(alarm["Properties"]["AlarmActions"], json!([topic]));
        assert_eq!(alarm["Properties"]["OKActions"], json!([topic]));
    }
}

#[test]
fn the_dashboard_is_json_whose_places_the_stack_fills_in() {
    let template = template(|props| props);
    let text = one(&template, "AWS::CloudWatch::Dashboard")["Properties"]["DashboardBody"]["Fn::Sub"]
        .as_str()
        .expect("text with references");
    let body: Json = serde_json::from_str(text).expect("JSON");
    let widgets = body["widgets"].as_array().expect("widgets");
    assert_eq!(widgets.len(), 8);
    let mut taken = std::collections::BTreeSet::new();
    for widget in widgets {
        let of = |name: &str| widget[name].as_u64().expect("a number");
        assert!(of("x") + of("width") <= 24, "{widget}");
        for column in of("x")..of("x") + of("width") {
            for row in of("y")..of("y") + of("height") {
                assert!(taken.insert((column, row)), "two widgets lie on each other: {widget}");
            }
        }
        assert_eq!(widget["properties"]["region"], "${AWS::Region}");
    }
    assert!(!text.contains('@') || text.contains("@timestamp"), "every place is filled");
    for place in ["@region@", "@balancer@", "@targets@", "@log-group@"] {
        assert!(!text.contains(place), "{place}");
    }
}

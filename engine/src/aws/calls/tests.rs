use super::super::fake::{Answer, elsewhere, fake, sts, ticket};
use super::*;
use crate::aws::session::{ConnectOptions, Transport};

fn raw(status: u16, body: &str) -> Answer {
    Answer::Raw(status, body.to_owned(), None)
}

#[tokio::test(start_paused = true)]
async fn all_three_protocols_are_spoken_and_signed() {
    let service = fake(|seen, _| {
        match seen.action.as_str() {
        "DescribeTargetHealth" => Answer::Result("<TargetHealthDescriptions><member><HealthCheckPort>80</HealthCheckPort></member></TargetHealthDescriptions>".to_owned()),
        "SageMaker.ListApps" => raw(200, "{\"Apps\":[{\"AppName\":\"a\"}]}"),
        "" => raw(200, ""),
        _ => sts(seen).expect("STS"),
    }
    });
    let call = service.session().await.call().clone();
    let health = [("TargetGroupArn".to_owned(), "arn:a/b c".to_owned())];
    let answer = call
        .query("elasticloadbalancing", "DescribeTargetHealth", "2015-12-01", &health)
        .await
        .expect("answers");
    assert_eq!(answer.find("HealthCheckPort").map(|port| port.text.as_str()), Some("80"));
    let apps = call.json("sagemaker", "SageMaker.ListApps", &serde_json::json!({})).await.expect("answers");
    assert_eq!(apps["Apps"][0]["AppName"], "a");
    let nothing = call
        .writing(&ticket("Anything"))
        .rest_json("lambda", "GetFunction", "GET", "/2015-03-31/functions/f?Qualifier=1", None)
        .await;
    assert_eq!(nothing, Ok(Value::Null));
    let asked = service.seen("DescribeTargetHealth");
    assert_eq!((asked[0].get("Version"), asked[0].get("TargetGroupArn")), ("2015-12-01", "arn:a/b c"));
    let signature =
        service.seen("SageMaker.ListApps")[0].headers["authorization"].to_str().expect("text").to_owned();
    assert!(signature.contains("/us-east-1/sagemaker/aws4_request"), "{signature}");
    let path = service.seen("")[0].uri.to_string();
    assert_eq!(path, "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/f?Qualifier=1");
}

/// Fault 18: refusals in every form, cut answers and broken connections.
#[tokio::test(start_paused = true)]
async fn refusals_are_read_in_every_form_and_transient_ones_repeated() {
    let service = fake(|seen, before| match (seen.action.as_str(), before) {
        ("X.Denied", _) => {
            raw(400, "{\"__type\":\"com.amazonaws.x#AccessDeniedException\",\"Message\":\"no\"}")
        }
        ("X.Throttled" | "Throttled", 0) => raw(400, "{\"__type\":\"ThrottlingException\"}"),
        ("X.Throttled", 1) => raw(200, "{\"a\":"),
        ("X.Throttled", 2) => Answer::Broken,
        ("X.Throttled", _) => raw(200, "{\"a\":1}"),
        ("Missing", _) => raw(
            400,
            "<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>no vpc</Message></Error></Errors></Response>",
        ),
        _ => sts(seen).expect("STS"),
    });
    let call = service.session().await.call().clone();
    let denied = call.json("ssm", "X.Denied", &Value::Null).await.expect_err("refused");
    assert_eq!((denied.kind, denied.message.as_str(), denied.operation), (ErrorKind::Denied, "no", "Denied"));
    assert_eq!(call.json("ssm", "X.Throttled", &Value::Null).await.expect("works")["a"], 1);
    let missing = call.query("ec2", "Missing", "2016-11-15", &[]).await.expect_err("refused");
    assert_eq!((missing.kind, missing.message.as_str()), (ErrorKind::NotFound, "no vpc"));
}

/// Fault 9 for calls that the SDK does not sign.
#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_corrected_here_too() {
    let service = fake(|seen, before| match (seen.action.as_str(), before) {
        ("X.Get", 0) => {
            let server = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(20);
            let date = server.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            Answer::Raw(
                400,
                "{\"__type\":\"InvalidSignatureException\",\"message\":\"expired\"}".to_owned(),
                Some(date),
            )
        }
        ("X.Get", _) => raw(200, "{}"),
        _ => sts(seen).expect("STS"),
    });
    let call = service.session().await.call().clone();
    call.json("ssm", "X.Get", &Value::Null).await.expect("works");
    let asked = service.seen("X.Get");
    let date = |index: usize| asked[index].headers["x-amz-date"].to_str().expect("text").to_owned();
    let time = |index: usize| jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date(index)).expect("a time");
    let seconds = time(1).duration_until(time(0)).as_secs();
    assert!((1_195..1_205).contains(&seconds), "{seconds}");
}

/// Endpoints come from where the SDK's clients take them, in the same order.
#[tokio::test]
async fn endpoints_come_from_the_environment_and_the_profile() {
    let here = "aws::calls::tests::endpoints_come_from_the_environment_and_the_profile";
    if let Ok(expected) = std::env::var("EXPECTED") {
        let options =
            ConnectOptions { transport: Transport::Network, ..fake(|_, _| Answer::Broken).options() };
        let environment = super::super::environment::Environment::new(&options).expect("an environment");
        let source =
            super::super::credentials::Source::Fixed(super::super::environment::made_up_credentials());
        let credentials =
            super::super::credentials::Renewing::new(source, options.clock, environment.time.clone());
        let configuration = environment.configuration(&options, "eu-west-1", &credentials).await;
        assert_eq!(Service::of("sagemaker").endpoint(&configuration, "aws", "eu-west-1").0, expected);
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    let text =
        "[default]\nservices = mine\n[services mine]\nsagemaker =\n  endpoint_url = http://profile:1\n";
    std::fs::write(&file, text).expect("writes");
    let config = ("AWS_CONFIG_FILE", file.to_str().expect("text"));
    let own = ("AWS_ENDPOINT_URL_SAGEMAKER", "http://own:1");
    let all = ("AWS_ENDPOINT_URL", "http://all:1");
    let ignore = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    let none = ("AWS_CONFIG_FILE", "/does/not/exist");
    for (variables, expected) in [
        (vec![config, own, all], "http://own:1"),
        (vec![config], "http://profile:1"),
        (vec![none, all], "http://all:1"),
        (vec![config, own, all, ignore], "https://api.sagemaker.eu-west-1.amazonaws.com"),
    ] {
        let mut variables = variables;
        variables.push(("EXPECTED", expected));
        assert!(elsewhere(here, &variables));
    }
}

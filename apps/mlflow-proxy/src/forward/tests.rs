use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{at, headers};
use crate::credentials::Credentials;
use crate::sign::{PathEncoding, Payload, Signer};

/// Names that the proxy treats each in its own way, and any others.
fn name() -> impl Strategy<Value = HeaderName> {
    let known = prop::sample::select(vec![
        "connection",
        "cookie",
        "host",
        "authorization",
        "x-amz-date",
        "x-amzn-trace-id",
        "x-forwarded-for",
        "x-sm-mlflow-app-arn",
        "content-length",
        "te",
        "x-mlflow-workspace",
    ]);
    prop_oneof![
        known.prop_map(HeaderName::from_static),
        "[a-z][a-z0-9-]{0,20}".prop_map(|name| { HeaderName::from_bytes(name.as_bytes()).unwrap() })
    ]
}

fn value() -> impl Strategy<Value = HeaderValue> {
    let bytes =
        vec(any::<u8>(), 0..40).prop_filter_map("no value", |bytes| HeaderValue::from_bytes(&bytes).ok());
    let names = prop::sample::select(vec![
        "close, x-hop",
        "x-mlflow-workspace,,content-type",
        "AWSALB=a; b=c",
        "\u{a0}",
    ]);
    prop_oneof![bytes, names.prop_filter_map("no value", |text| HeaderValue::from_str(text).ok())]
}

proptest! {
    #![proptest_config(crate::fuzzing::inputs())]

    /// Whatever is asked for is asked of the endpoint, in order, and with one signature.
    #[test]
    fn a_request_stays_at_the_endpoint(
        target in "/[!-~\u{80}-\u{ff}]{0,60}",
        pairs in vec((name(), value()), 0..12),
        body in vec(any::<u8>(), 0..20),
    ) {
        let Ok(asked) = target.parse::<Uri>() else { return Ok(()) };
        let Some(asked) = asked.path_and_query().cloned().map(Uri::from) else { return Ok(()) };
        let endpoint = Uri::from_static("https://us-east-1.experiments.sagemaker.aws/");
        let Ok(uri) = at(&endpoint, &asked) else { return Ok(()) };
        prop_assert_eq!(uri.authority(), endpoint.authority());
        prop_assert_eq!(uri.scheme_str(), Some("https"));
        prop_assert_eq!(uri.path(), asked.path());
        prop_assert!(!uri.query().unwrap_or_default().contains('+'));

        let (mut parts, ()) = Request::builder().method(Method::POST).uri(uri).body(()).unwrap().into_parts();
        for (name, value) in &pairs {
            parts.headers.append(name, value.clone());
        }
        headers::clean_request(&mut parts.headers);
        for name in ["connection", "host", "authorization", "x-amz-date", "x-forwarded-for", "x-sm-mlflow-app-arn", "te"] {
            prop_assert!(!parts.headers.contains_key(name), "{name}");
        }
        let cookie = parts.headers.get("cookie").map(|value| value.as_bytes().to_vec()).unwrap_or_default();
        prop_assert!(!cookie.starts_with(b"AWSALB"));
        let credentials = Credentials {
            access_key_id: "ASIA".to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: Some("token".to_owned()),
            expires: None,
        };
        let signer = Signer::new("us-east-1", "sagemaker-mlflow", PathEncoding::Twice);
        signer.sign(&mut parts, Payload::of(&body), &credentials, std::time::SystemTime::UNIX_EPOCH);
        let count = |name: &HeaderName, headers: &HeaderMap| headers.get_all(name).iter().count();
        prop_assert_eq!(count(&AUTHORIZATION, &parts.headers), 1);
        prop_assert_eq!(count(&HOST, &parts.headers), 1);
        for value in parts.headers.values() {
            prop_assert!(!value.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
        }
    }

    /// No answer's location leads to a place that it did not name, and none of the proxy's looks like another host.
    #[test]
    fn a_location_never_names_another_host(location in "[ -~]{0,40}", own in any::<bool>()) {
        let endpoint = Uri::from_static("https://us-east-1.experiments.sagemaker.aws/");
        let location = if own { format!("https://us-east-1.experiments.sagemaker.aws{location}") } else { location };
        let Ok(value) = HeaderValue::from_str(&location) else { return Ok(()) };
        let mut answer = HeaderMap::from_iter([(http::header::LOCATION, value.clone())]);
        headers::clean_answer(&mut answer, &endpoint);
        let after = answer[http::header::LOCATION].clone();
        if after != value {
            let text = after.to_str().unwrap();
            prop_assert!(text.starts_with('/') && !text.starts_with("//") && !text.starts_with("/\\"), "{text}");
        }
    }
}

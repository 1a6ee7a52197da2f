use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use http_body_util::BodyExt;

use super::*;
use crate::settings::testing::read_and_tell;

const TOKENS: Methods = Methods { tokens: true, passwords: false, jwt: false };

fn target() -> Target {
    let arn = "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/team";
    Target::from_arn(arn, None).unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn visit<'a>(target: &'a Target, identity: Option<&'a Identity>) -> Visit<'a> {
    Visit {
        origin: "https://mlflow.example.com",
        methods: TOKENS,
        identity,
        target,
        artifacts: true,
        may_open: true,
        ready: true,
    }
}

#[tokio::test]
async fn without_an_identity_nothing_is_told_about_what_stands_behind() {
    let target = target();
    let response = root(&visit(&target, None));
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    let text = text(response).await;
    for secret in ["team", "123456789012", "eu-west-1", "arn:"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(text.contains("export MLFLOW_TRACKING_URI='https://mlflow.example.com'"));
    assert!(text.contains("MLFLOW_TRACKING_TOKEN"));
    assert!(text.contains("href=\"/ui\""));
}

#[tokio::test]
async fn who_is_known_sees_the_resource_and_their_role() {
    let target = target();
    let identity = Identity::new("ann", Role::Writer, "token 00000000");
    let text = text(root(&visit(&target, Some(&identity)))).await;
    for word in [target.arn.as_str(), "MLflow tracking server", "ann, writer", "eu-west-1"] {
        assert!(text.contains(word), "{word} not in {text}");
    }
}

#[tokio::test]
async fn who_may_not_open_the_interface_is_told_so() {
    let target = target();
    let identity = Identity::new("ann", Role::Reader, "none");
    let text = text(root(&Visit { may_open: false, ..visit(&target, Some(&identity)) })).await;
    assert!(!text.contains("href=\"/ui\"") && text.contains("not open to your role"), "{text}");
    assert!(may_open(UiRole::Ceiling, Role::Writer, Role::Writer));
    assert!(!may_open(UiRole::Ceiling, Role::Writer, Role::Reader));
    assert!(may_open(UiRole::AtLeast(Role::Reader), Role::Admin, Role::Reader));
    assert!(!may_open(UiRole::Off, Role::Reader, Role::Admin));
}

#[tokio::test]
async fn each_way_to_sign_in_has_its_lines() {
    let target = target();
    let (none, passwords) = (Methods::default(), Methods { passwords: true, ..TOKENS });
    let jwt = Methods { jwt: true, ..none };
    for (methods, has, has_not) in [
        (TOKENS, "export MLFLOW_TRACKING_TOKEN='fwp_", "MLFLOW_TRACKING_PASSWORD"),
        (passwords, "export MLFLOW_TRACKING_PASSWORD", "export MLFLOW_TRACKING_TOKEN"),
        (jwt, "JSON Web Token", "MLFLOW_TRACKING_PASSWORD"),
        (none, "Nobody is asked", "MLFLOW_TRACKING_TOKEN"),
    ] {
        let text = text(root(&Visit { methods, ..visit(&target, None) })).await;
        assert!(text.contains(has), "{methods:?}: {text}");
        assert!(!text.contains(has_not), "{methods:?}: {text}");
    }
}

#[tokio::test]
async fn text_from_outside_stays_text() {
    let target = target();
    let evil = "https://a'\"><script>alert(1)</script>&";
    let identity = Identity::new("<img src=x>", Role::Reader, "token 00000000");
    let visit = Visit { origin: evil, ..visit(&target, Some(&identity)) };
    let text = text(root(&visit)).await;
    assert!(!text.contains("<script") && !text.contains("<img"), "{text}");
    assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;"), "{text}");
}

#[tokio::test]
async fn the_policy_allows_our_style_and_nothing_else() {
    let target = target();
    let response = root(&visit(&target, None));
    let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let text = text(response).await;
    assert!(!text.contains(" style=") && !text.contains("<script"), "an inline style would not be applied");
}

fn read(pairs: &[(&str, &str)]) -> (Settings, Vec<String>) {
    read_and_tell(pairs, Settings::read)
}

#[test]
fn settings_have_safe_defaults_and_limits() {
    let (settings, mistakes) = read(&[]);
    assert_eq!(settings, Settings { ui_role: UiRole::Ceiling, url_seconds: 60, session_seconds: 5000 });
    assert!(mistakes.is_empty());
    let (settings, mistakes) = read(&[
        ("MLFLOW_PROXY_UI_ROLE", "root"),
        ("MLFLOW_PROXY_UI_URL_SECONDS", "301"),
        ("MLFLOW_PROXY_UI_SESSION_SECONDS", "soon"),
    ]);
    assert_eq!(settings.ui_role, UiRole::Off, "a mistake never opens more");
    assert_eq!(
        mistakes,
        [
            "MLFLOW_PROXY_UI_ROLE is `root`, which is no role\nhint: give reader, writer, admin or off",
            "MLFLOW_PROXY_UI_URL_SECONDS is `301`, which SageMaker does not take\nhint: give 5 to 300",
            "MLFLOW_PROXY_UI_SESSION_SECONDS is `soon`, which is not a whole number of seconds\nhint: give 1800 to 43200",
        ]
    );
}

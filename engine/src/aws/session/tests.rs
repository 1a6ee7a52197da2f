use super::super::fake::{Answer, elsewhere, fake, identity, refused, sts};
use super::*;
use crate::aws::ErrorKind;
use crate::event::What;

#[tokio::test(start_paused = true)]
async fn a_session_knows_who_and_where_it_is() {
    let service = fake(|seen, _| sts(seen).expect("STS"));
    let session = service.session().await;
    assert_eq!((session.account(), session.region()), ("123456789012", "us-east-1"));
    assert_eq!(session.identity(), "arn:aws:iam::123456789012:user/u");
    assert_eq!(session.region_source(), &RegionSource::Default);
    let other = session.in_region("eu-west-1");
    assert_eq!(other.region(), "eu-west-1");
    assert_eq!(
        session.fill_in("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/x-${AWS::Region}"),
        "arn:aws:iam::123456789012:role/x-us-east-1"
    );
    assert_eq!(service.seen("GetCallerIdentity").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn sessions_are_made_once() {
    let service = fake(|seen, _| sts(seen).expect("STS"));
    let sessions = service.sessions();
    let role = Some("arn:aws:iam::123456789012:role/deploy");
    let (one, two) =
        tokio::join!(sessions.session(Some("eu-west-1"), role), sessions.session(Some("eu-west-1"), role));
    assert_eq!(one.expect("connects").identity(), two.expect("connects").identity());
    assert_eq!(service.seen("AssumeRole").len(), 1);
    assert!(service.seen("AssumeRole")[0].uri.host().expect("a host").contains("eu-west-1"));
    sessions.session(None, None).await.expect("connects");
    assert_eq!(service.seen("GetCallerIdentity").len(), 2);
}

/// Fault 2: a token that is expired before anything began costs one call and says so.
#[tokio::test(start_paused = true)]
async fn an_expired_token_is_told_after_one_call() {
    let service =
        fake(|_, _| refused("ExpiredToken", "The security token included in the request is expired"));
    let failed = service.sessions().base().await.expect_err("expired");
    assert_eq!(failed.kind, ErrorKind::ExpiredCredentials);
    assert!(failed.message.contains("expired"), "{failed}");
    assert_eq!(service.seen("GetCallerIdentity").len(), 1);
}

/// Fault 6: a region that the account has not opted into refuses good keys as unknown.
#[tokio::test(start_paused = true)]
async fn a_region_that_is_not_enabled_is_named() {
    for code in ["InvalidClientTokenId", "AuthFailure"] {
        let service =
            fake(move |_, _| refused(code, "The security token included in the request is invalid."));
        let options = ConnectOptions { region: Some("ap-east-1".to_owned()), ..service.options() };
        let failed = Session::connect(&options).await.expect_err("refused");
        assert_eq!(failed.kind, ErrorKind::Credentials, "{failed}");
        assert!(failed.message.contains("ap-east-1 has to be enabled"), "{failed}");
        let options = ConnectOptions { region: Some("us-east-1".to_owned()), ..service.options() };
        let failed = Session::connect(&options).await.expect_err("refused");
        assert!(!failed.message.contains("enabled") && failed.message.contains("us-east-1"), "{failed}");
    }
}

const REFUSAL: &str = "User: arn:aws:iam::123456789012:user/u is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/deploy";

/// Fault 4: a role that refuses is done without in the same account, with a warning; in another account it is an error
/// that names what may be missing.
#[tokio::test(start_paused = true)]
async fn a_refused_role_is_done_without_only_in_its_own_account() {
    let service = fake(|seen, _| match seen.action.as_str() {
        "AssumeRole" => refused("AccessDenied", REFUSAL),
        _ => sts(seen).expect("STS"),
    });
    let sessions = service.sessions();
    let own =
        sessions.session(None, Some("arn:aws:iam::123456789012:role/deploy")).await.expect("falls back");
    assert_eq!(own.identity(), "arn:aws:iam::123456789012:user/u");
    assert!(
        matches!(&service.told()[..], [What::Warning { message, .. }] if message.contains("role/deploy"))
    );
    let other = sessions
        .session(None, Some("arn:aws:iam::210987654321:role/deploy"))
        .await
        .expect_err("another account");
    assert_eq!(other.kind, ErrorKind::Denied);
    assert!(other.message.contains("external id"), "{other}");
}

/// Fault 4: tags that the trust policy does not allow are left out; external id and session name are sent.
#[tokio::test(start_paused = true)]
async fn session_tags_that_are_denied_are_left_out() {
    let service = fake(|seen, _| match seen.action.as_str() {
        "AssumeRole" if seen.form.contains_key("Tags.member.1.Key") => {
            refused("AccessDenied", "User: u is not authorized to perform: sts:TagSession on resource: r")
        }
        _ => sts(seen).expect("STS"),
    });
    let role = RoleOptions {
        external_id: Some("outer".to_owned()),
        session_name: Some("formwork 2026/x".to_owned()),
        tags: [("team".to_owned(), "ml".to_owned())].into(),
        ..RoleOptions::of("arn:aws:iam::123456789012:role/deploy")
    };
    let session = service.sessions().session_with(None, Some(&role)).await.expect("assumes");
    assert_eq!(session.identity(), "arn:aws:iam::123456789012:assumed-role/r/s");
    let asked = service.seen("AssumeRole");
    assert_eq!(asked.len(), 2);
    assert_eq!((asked[1].get("ExternalId"), asked[1].get("RoleSessionName")), ("outer", "formwork-2026-x"));
}

#[tokio::test(start_paused = true)]
async fn parameters_and_encoded_messages_are_read() {
    let service = fake(|seen, _| match seen.action.as_str() {
        "AmazonSSM.GetParameter" if seen.body.contains("/there") => {
            Answer::Raw(200, "{\"Parameter\":{\"Value\":\"bucket\"}}".to_owned(), None)
        }
        "AmazonSSM.GetParameter" => {
            Answer::Raw(400, "{\"__type\":\"com.amazonaws.ssm#ParameterNotFound\"}".to_owned(), None)
        }
        "DecodeAuthorizationMessage" => Answer::Result("<DecodedMessage>{}</DecodedMessage>".to_owned()),
        _ => sts(seen).expect("STS"),
    });
    let session = service.session().await;
    assert_eq!(session.parameter("/there").await, Ok(Some("bucket".to_owned())));
    assert_eq!(session.parameter("/not").await, Ok(None));
    assert_eq!(session.decode_authorization_message("x").await, Ok("{}".to_owned()));
    let host = service.seen("AmazonSSM.GetParameter")[0].uri.host().map(str::to_owned);
    assert_eq!(host.as_deref(), Some("ssm.us-east-1.amazonaws.com"));
}

/// A broken answer to the very first call does not make an account up.
#[tokio::test(start_paused = true)]
async fn an_identity_without_an_account_is_asked_for_again() {
    let service =
        fake(|_, before| Answer::Result(if before == 0 { String::new() } else { identity("user/u") }));
    assert_eq!(service.session().await.account(), "123456789012");
}

/// The region comes from where the AWS CLI takes it, and somebody can say from where.
#[tokio::test]
async fn regions_come_from_the_environment_and_the_profile() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    std::fs::write(&file, "[default]\nregion = eu-north-1\n[profile other]\nregion = sa-east-1\n")
        .expect("writes");
    let file = file.display().to_string();
    let here = "aws::session::tests::regions_come_from_the_environment_and_the_profile";
    if let Ok(expected) = std::env::var("EXPECTED") {
        let options =
            ConnectOptions { transport: Transport::Network, ..fake(|_, _| Answer::Broken).options() };
        let options = ConnectOptions { profile: std::env::var("PROFILE").ok(), ..options };
        let environment = environment::Environment::new(&options).expect("an environment");
        let (region, source) = environment.region(&options).await;
        assert_eq!(format!("{region} {source}"), expected);
        return;
    }
    let config = ("AWS_CONFIG_FILE", file.as_str());
    for (variables, expected) in [
        (vec![config, ("AWS_REGION", "eu-west-2"), ("AWS_DEFAULT_REGION", "x")], "eu-west-2 from AWS_REGION"),
        (vec![config, ("AWS_DEFAULT_REGION", "eu-west-3")], "eu-west-3 from AWS_DEFAULT_REGION"),
        (vec![config], "eu-north-1 from profile default"),
        (vec![config, ("PROFILE", "other")], "sa-east-1 from profile other"),
        (vec![("AWS_CONFIG_FILE", "/does/not/exist")], "us-east-1 because none is given"),
    ] {
        let mut variables = variables;
        variables.push(("EXPECTED", expected));
        assert!(elsewhere(here, &variables));
    }
}

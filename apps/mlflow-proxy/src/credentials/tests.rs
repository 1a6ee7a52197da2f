//! The cache over a source that does as it is told, and the role over a fake STS.

mod cache;
mod role;

use super::*;
use crate::settings::testing::read_and_tell;

fn read(values: &[(&str, &str)]) -> (Settings, Vec<String>) {
    read_and_tell(values, Settings::read)
}

#[test]
fn roles_are_looked_at() {
    for good in ["arn:aws:iam::111122223333:role/Name", "arn:aws-us-gov:iam::111122223333:role/path/Name"] {
        let (settings, mistakes) = read(&[("SM_MLFLOW_ROLE_ARN", good)]);
        assert_eq!(settings.role.as_deref(), Some(good));
        assert!(mistakes.is_empty(), "{mistakes:?}");
    }
    for bad in [
        "Name",
        "arn:aws:iam::1:role/Name",
        "arn:aws:iam::111122223333:user/Name",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:sts::111122223333:assumed-role/Name/x",
    ] {
        let (_, mistakes) = read(&[("SM_MLFLOW_ROLE_ARN", bad)]);
        assert!(mistakes[0].contains(&format!("is `{bad}`, which is no ARN of a role")), "{mistakes:?}");
    }
}

#[test]
fn the_length_of_a_session_has_bounds() {
    assert_eq!(read(&[]).0.session, Duration::from_secs(3600));
    assert_eq!(read(&[("MLFLOW_PROXY_SESSION_SECONDS", "900")]).0.session, Duration::from_secs(900));
    for bad in ["899", "43201", "soon"] {
        let (_, mistakes) = read(&[("MLFLOW_PROXY_SESSION_SECONDS", bad)]);
        assert!(mistakes[0].starts_with(&format!("MLFLOW_PROXY_SESSION_SECONDS is `{bad}`")), "{mistakes:?}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let credentials = Credentials {
        access_key_id: "AKIA".to_owned(),
        secret_access_key: "hidden".to_owned(),
        session_token: Some("hidden".to_owned()),
        expires: None,
    };
    assert!(!format!("{credentials:?}").contains("hidden"));
    let cache = CredentialCache::fixed(credentials);
    assert!(!format!("{cache:?}").contains("hidden"));
}

#[test]
fn credentials_that_would_break_a_header_are_refused() {
    let good = Credentials {
        access_key_id: "AKIA".to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: None,
        expires: None,
    };
    assert!(good.clone().checked().is_ok());
    for bad in [
        Credentials { access_key_id: String::new(), ..good.clone() },
        Credentials { access_key_id: "AK\r\nIA".to_owned(), ..good.clone() },
        Credentials { secret_access_key: String::new(), ..good.clone() },
        Credentials { session_token: Some("a b".to_owned()), ..good.clone() },
        Credentials { session_token: Some(String::new()), ..good },
    ] {
        assert!(matches!(bad.checked(), Err(CredentialsError::NoBase { .. })));
    }
}

#[test]
fn a_client_learns_the_kind_and_not_the_role() {
    let error = CredentialsError::Denied {
        role: "arn:aws:iam::111122223333:role/Hidden".to_owned(),
        why: "AccessDenied: User hidden".to_owned(),
    };
    assert!(error.to_string().contains("role/Hidden") && error.hint().contains("role/Hidden"));
    let problem = crate::problem::Problem::from(error);
    assert_eq!(problem.status, 503);
    assert!(problem.retry_after.is_some());
    let told = format!("{} {:?}", problem.message, problem.hint);
    assert!(!told.to_lowercase().contains("hidden"), "{told}");
}

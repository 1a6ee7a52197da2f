//! Which settings go together.

use super::*;
use crate::settings::Mistake;
use crate::settings::testing::read_from;

fn read(listen: &str, variables: &[(&str, &str)]) -> (Settings, Vec<Mistake>) {
    read_from(variables, |reader| Settings::read(reader, listen.parse().unwrap()))
}

const LOCAL: &str = "127.0.0.1:5000";
const OPEN: &str = "0.0.0.0:5000";
const SECRET: (&str, &str) =
    ("MLFLOW_PROXY_SECRET_ARN", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:users-AbCdEf");

#[test]
fn what_the_stack_writes_is_enough() {
    let (settings, mistakes) =
        read(OPEN, &[("MLFLOW_PROXY_AUTH", "token"), ("MLFLOW_PROXY_ACCESS", "writer"), SECRET]);
    assert_eq!(mistakes, []);
    assert_eq!(settings.body_limit, None);
    let (limited, _) = read(OPEN, &[SECRET, ("MLFLOW_PROXY_USER_MAX_BODY", "20 MiB")]);
    assert_eq!(limited.body_limit, Some(20 << 20));
    assert_eq!(settings.methods, Methods { tokens: true, ..Methods::default() });
    assert_eq!((settings.greatest, settings.secret_interval.as_secs()), (Role::Writer, 30));
    let (settings, mistakes) = read(
        OPEN,
        &[
            ("MLFLOW_PROXY_AUTH", "jwt"),
            ("MLFLOW_PROXY_JWT_ISSUER", "https://issuer.example"),
            ("MLFLOW_PROXY_JWT_AUDIENCE", "mlflow"),
        ],
    );
    assert_eq!(mistakes, []);
    assert_eq!(settings.jwt.unwrap().role, Some(Role::Reader), "without groups whoever has a token reads");
}

#[test]
fn nobody_is_let_in_by_default() {
    let (settings, mistakes) = read(LOCAL, &[]);
    assert!(settings.methods.tokens);
    assert_eq!(mistakes[0].name, "MLFLOW_PROXY_SECRET_ARN");
}

#[test]
fn no_authentication_is_for_this_machine_or_has_to_be_insisted_on() {
    let none = ("MLFLOW_PROXY_AUTH", "none");
    assert_eq!(read(LOCAL, &[none]).1, []);
    assert_eq!(read("[::1]:0", &[none]).1, []);
    let (settings, mistakes) = read(OPEN, &[none]);
    assert!(mistakes.len() == 1 && mistakes[0].name == "MLFLOW_PROXY_AUTH", "{mistakes:?}");
    assert!(settings.methods.is_none());
    assert_eq!(read("10.0.0.1:5000", &[none, ("MLFLOW_PROXY_ALLOW_ANONYMOUS", "true")]).1, []);
}

#[test]
fn a_way_that_is_not_understood_is_no_way_in() {
    for wrong in ["tokens", "none,token", "token,none", "Token", ",", " ", " , ,"] {
        let (settings, mistakes) = read(LOCAL, &[("MLFLOW_PROXY_AUTH", wrong), SECRET]);
        assert!(mistakes.len() == 1 && mistakes[0].name == "MLFLOW_PROXY_AUTH", "{wrong}: {mistakes:?}");
        assert!(!settings.methods.is_none(), "{wrong}");
    }
    let (settings, mistakes) = read(LOCAL, &[("MLFLOW_PROXY_ACCESS", "owner"), SECRET]);
    assert_eq!(mistakes.len(), 1);
    assert_eq!(mistakes[0].name, "MLFLOW_PROXY_ACCESS");
    assert_eq!(settings.methods, Methods { tokens: true, ..Methods::default() });
    let (settings, _) = read(LOCAL, &[("MLFLOW_PROXY_AUTH", "basic, jwt"), SECRET]);
    assert_eq!(settings.methods, Methods { tokens: true, passwords: true, jwt: true });
}

#[test]
fn what_does_not_go_together_is_told() {
    let jwt = ("MLFLOW_PROXY_AUTH", "jwt");
    let issuer = ("MLFLOW_PROXY_JWT_ISSUER", "https://issuer.example");
    for (variables, name) in [
        (vec![jwt], "MLFLOW_PROXY_JWT_ISSUER"),
        (vec![jwt, issuer], "MLFLOW_PROXY_JWT_AUDIENCE"),
        (
            vec![
                jwt,
                ("MLFLOW_PROXY_JWT_ISSUER", "http://issuer.example"),
                ("MLFLOW_PROXY_JWT_AUDIENCE", "m"),
            ],
            "MLFLOW_PROXY_JWT_ISSUER",
        ),
        (vec![jwt, ("MLFLOW_PROXY_ALB_ARN", "arn:aws:s3:::bucket")], "MLFLOW_PROXY_ALB_ARN"),
        (vec![SECRET, ("MLFLOW_PROXY_SECRET_FILE", "/etc/users.json")], "MLFLOW_PROXY_SECRET_FILE"),
        (vec![("MLFLOW_PROXY_SECRET_ARN", "users")], "MLFLOW_PROXY_SECRET_ARN"),
        (vec![SECRET, ("MLFLOW_PROXY_RATE", "many")], "MLFLOW_PROXY_RATE"),
        (vec![SECRET, ("MLFLOW_PROXY_RATE_BURST", "0")], "MLFLOW_PROXY_RATE_BURST"),
        (vec![SECRET, ("MLFLOW_PROXY_JWT_ROLE", "owner")], "MLFLOW_PROXY_JWT_ROLE"),
    ] {
        let (_, mistakes) = read(LOCAL, &variables);
        assert!(mistakes.len() == 1 && mistakes[0].name == name, "{variables:?}: {mistakes:?}");
    }
}

#[test]
fn groups_decide_where_there_are_any() {
    let jwt = [
        ("MLFLOW_PROXY_AUTH", "jwt"),
        ("MLFLOW_PROXY_JWT_ISSUER", "https://issuer.example"),
        ("MLFLOW_PROXY_JWT_AUDIENCE", "mlflow, other"),
        ("MLFLOW_PROXY_JWT_ADMIN_GROUPS", "ops"),
    ];
    let (settings, mistakes) = read(LOCAL, &jwt);
    assert_eq!(mistakes, []);
    let settings = settings.jwt.unwrap();
    assert_eq!((settings.role, settings.audiences), (None, vec!["mlflow".to_owned(), "other".to_owned()]));
    let with_role = [&jwt[..], &[("MLFLOW_PROXY_JWT_ROLE", "reader")]].concat();
    assert_eq!(read(LOCAL, &with_role).0.jwt.unwrap().role, Some(Role::Reader));
}

use super::*;
use crate::aws::{Error, ErrorKind};

fn failed(operation: &'static str, kind: ErrorKind) -> Error {
    Error::new(operation, kind, "no")
}

/// The same failure ends every command with the same exit code, wherever in the engine it is met.
#[test]
fn one_failure_has_one_exit_code() {
    let plan =
        |kind: ErrorKind| crate::plan::failure::failed("stack a", &failed("DescribeStacks", kind)).class;
    let direct = |kind: ErrorKind| EngineError::from(failed("DescribeStacks", kind)).class;
    for (kind, code) in [
        (ErrorKind::Credentials, 10),
        (ErrorKind::ExpiredCredentials, 10),
        (ErrorKind::Denied, 5),
        (ErrorKind::Unreachable, 5),
        (ErrorKind::Invalid, 1),
    ] {
        assert_eq!(plan(kind.clone()).exit_code(), code, "{kind:?}");
        assert_eq!(direct(kind.clone()).exit_code(), code, "{kind:?}");
        assert_eq!(Class::of_call(&kind, Moment::Before).exit_code(), code, "{kind:?}");
    }
    for (kind, code) in
        [(ErrorKind::ExpiredCredentials, 6), (ErrorKind::Unreachable, 6), (ErrorKind::Denied, 5)]
    {
        assert_eq!(Class::of_call(&kind, Moment::During).exit_code(), code, "{kind:?}");
    }
}

/// Fault 50: the permission is named by the service that has it, not by the one that most calls go to.
#[test]
fn a_denial_names_the_permission_of_the_right_service() {
    for (operation, permission) in [
        ("AssumeRole", "sts:AssumeRole"),
        ("CreateChangeSet", "cloudformation:CreateChangeSet"),
        ("DescribeStacks", "cloudformation:DescribeStacks"),
        ("GetParameter", "ssm:GetParameter"),
        ("HeadObject", "s3:GetObject"),
    ] {
        let hint = EngineError::from(failed(operation, ErrorKind::Denied)).hint.unwrap();
        assert!(hint.contains(&format!("allow {permission} ")), "{hint}");
    }
    let hint = EngineError::from(failed("Unheard", ErrorKind::Denied)).hint.unwrap();
    assert!(!hint.contains("allow"), "{hint}");
}

//! Golden strings: the forms of messages that AWS documents or that users quote in public.

use super::*;

fn circumstances() -> Circumstances {
    Circumstances {
        status: StackStatus::RollbackComplete,
        kind: OperationKind::Create,
        handler: None,
        role_is_new: false,
        stuck: Vec::new(),
    }
}

fn classified(resource_type: &str, reason: &str, circumstances: &Circumstances) -> Failure {
    let mut failure = Failure {
        stack: "net".to_owned(),
        path: vec!["Thing".to_owned()],
        resource_type: resource_type.to_owned(),
        reason: reason.to_owned(),
        ..Failure::default()
    };
    classify(&mut failure, circumstances);
    failure
}

#[test]
fn every_pattern_compiles() {
    for pattern in [&ENCODED, &PRINCIPAL, &ACTION, &RESOURCE, &HANDLER_CODE] {
        assert!(!pattern.as_str().is_empty());
    }
}

/// Fault 50: IAM denies: the statement that is missing is told.
#[test]
fn a_missing_permission_is_told_as_a_statement() {
    let failure = classified(
        "AWS::S3::Bucket",
        "User: arn:aws:sts::123456789012:assumed-role/exec/AWSCloudFormation is not authorized to perform: s3:CreateBucket on resource: \"arn:aws:s3:::data\" because no identity-based policy allows the s3:CreateBucket action (Service: S3, Status Code: 403, Request ID: 1)",
        &circumstances(),
    );
    assert_eq!(failure.class, FailureClass::Permission);
    assert_eq!(
        failure.advice,
        [
            "arn:aws:sts::123456789012:assumed-role/exec/AWSCloudFormation lacks a permission; allow it with",
            r#"{"Effect": "Allow", "Action": "s3:CreateBucket", "Resource": "arn:aws:s3:::data"}"#,
            "then run `formwork deploy net`",
        ]
    );
    let failure = classified(
        "AWS::SNS::Topic",
        "API: sns:CreateTopic You are not authorized to perform this operation",
        &circumstances(),
    );
    assert_eq!(failure.class, FailureClass::Permission);
    assert!(
        failure.advice.iter().any(|line| line.contains(r#""Action": "sns:CreateTopic", "Resource": "*""#))
    );
}

/// Fault 50: an organisation's policy denies: no advice to add a permission.
#[test]
fn an_organisations_denial_is_never_answered_with_a_permission() {
    let failure = classified(
        "AWS::EC2::VPC",
        "User: arn:aws:sts::123456789012:assumed-role/x/y is not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:eu-west-1:123456789012:vpc/* with an explicit deny in a service control policy (HandlerErrorCode: AccessDenied)",
        &circumstances(),
    );
    assert_eq!(failure.class, FailureClass::ServiceControlPolicy);
    assert!(failure.advice[0].contains("organisation") && failure.advice[0].contains("ec2:CreateVpc"));
    assert!(!failure.advice.iter().any(|line| line.contains("Allow") || line.contains("allow it")));
}

/// Fault 50: the boundary, the missing PassRole and an explicit deny each have advice of their own.
#[test]
fn boundaries_pass_role_and_denials_differ() {
    let advice = |reason: &str| {
        let failure = classified("AWS::Lambda::Function", reason, &circumstances());
        assert_eq!(failure.class, FailureClass::Permission, "{reason}");
        failure.advice.join("\n")
    };
    let boundary = advice(
        "User: arn:aws:iam::123456789012:user/me is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/r because no permissions boundary allows the iam:CreateRole action",
    );
    assert!(boundary.contains("permissions boundary") && !boundary.contains("Effect"));
    let pass = advice(
        "User: arn:aws:iam::123456789012:user/me is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/r because no identity-based policy allows the iam:PassRole action",
    );
    assert!(
        pass.contains("hand this role to a service")
            && pass.contains(r#""Resource": "arn:aws:iam::123456789012:role/r""#)
    );
    let deny = advice(
        "User: arn:aws:iam::123456789012:user/me is not authorized to perform: kms:CreateKey on resource: * with an explicit deny in an identity-based policy",
    );
    assert!(deny.contains("Effect Deny") && !deny.contains(r#""Effect": "Allow""#));
}

/// Fault 51: quotas are told with their code, capacity is told apart.
#[test]
fn quotas_have_codes_and_capacity_has_none() {
    let cases = [
        (
            "AWS::EC2::EIP",
            "The maximum number of addresses has been reached. (Service: Ec2, Status Code: 400, Error Code: AddressLimitExceeded)",
            "L-0263D0A3",
        ),
        (
            "AWS::EC2::VPC",
            "The maximum number of VPCs has been reached. (HandlerErrorCode: ServiceLimitExceeded)",
            "L-F678F1CE",
        ),
        (
            "AWS::EC2::NatGateway",
            "Performing this operation would exceed the limit of 5 NAT gateways (NatGatewayLimitExceeded; limit exceeded)",
            "L-FE5A380F",
        ),
        ("AWS::EC2::NatGateway", "AddressLimitExceeded: too many", "L-0263D0A3"),
        (
            "AWS::IAM::Role",
            "Cannot exceed quota for RolesPerAccount: 1000. (Service: Iam, Status Code: 409)",
            "L-FE177D64",
        ),
        (
            "AWS::S3::Bucket",
            "You have attempted to create more buckets than allowed (TooManyBuckets)",
            "L-DC2B2D3D",
        ),
    ];
    for (resource_type, reason, code) in cases {
        let failure = classified(resource_type, reason, &circumstances());
        assert_eq!(failure.class, FailureClass::Quota, "{reason}");
        assert!(failure.advice.iter().any(|line| line.contains(code)), "{reason}: {:?}", failure.advice);
    }
    let capacity = classified(
        "AWS::EC2::Instance",
        "We currently do not have sufficient t3.small capacity in the Availability Zone you requested (us-east-1e). (InsufficientInstanceCapacity)",
        &circumstances(),
    );
    assert_eq!(capacity.class, FailureClass::Capacity);
}

/// Fault 52: a role that was just made: the same again, which is no advice for an old role.
#[test]
fn a_new_role_needs_time() {
    let reason = "The role arn:aws:iam::123456789012:role/new could not be used: cannot be assumed by principal 'states.amazonaws.com'";
    let mut just_made = circumstances();
    just_made.role_is_new = true;
    let failure = classified("AWS::StepFunctions::StateMachine", reason, &just_made);
    assert_eq!(failure.class, FailureClass::Propagation);
    assert_eq!(failure.advice.last().unwrap(), "run `formwork deploy net` again");
    assert_eq!(
        classified("AWS::StepFunctions::StateMachine", reason, &circumstances()).class,
        FailureClass::Other
    );
    let lambda = "Resource handler returned message: \"The role defined for the function cannot be assumed by Lambda.\"";
    assert_eq!(
        classified("AWS::Lambda::Function", lambda, &circumstances()).class,
        FailureClass::Propagation
    );
}

#[test]
fn a_custom_resource_names_its_log() {
    let mut known = circumstances();
    known.handler = Some("net-handler-1".to_owned());
    let failure = classified(
        "Custom::MlflowApp",
        "Received response status [FAILED] from custom resource. Message returned: An error occurred (AccessDeniedException) when calling CreateMlflowApp: User: arn:aws:sts::123456789012:assumed-role/h/f is not authorized to perform: sagemaker:CreateMlflowApp on resource: arn:aws:sagemaker:us-east-1:123456789012:mlflow-app/* (RequestId: 1)",
        &known,
    );
    assert_eq!(failure.class, FailureClass::CustomResource);
    assert!(failure.advice[0].contains("handler's own role"));
    assert!(failure.advice.iter().any(|line| line.contains("aws logs tail /aws/lambda/net-handler-1")));
    let silent =
        classified("Custom::X", "Custom Resource failed to stabilize in expected time.", &circumstances());
    assert!(silent.advice[0].contains("never answered"));
}

#[test]
fn the_other_classes_are_told_by_their_words() {
    use FailureClass::*;
    for (class, resource_type, reason) in [
        (NameConflict, "AWS::S3::Bucket", "net-data already exists in stack arn:aws:cloudformation:..."),
        (
            NameConflict,
            "AWS::IAM::Role",
            "Resource of type 'AWS::IAM::Role' with identifier 'r' already exists. (HandlerErrorCode: AlreadyExists)",
        ),
        (
            ExportInUse,
            "AWS::CloudFormation::Stack",
            "Export net:Vpc cannot be updated as it is in use by app",
        ),
        (
            StackPolicy,
            "AWS::RDS::DBInstance",
            "Action denied by stack policy: Statement [#1] does not allow [Update:Replace] for resource [*];",
        ),
        (
            Timeout,
            "AWS::AutoScaling::AutoScalingGroup",
            "Failed to receive 1 resource signal(s) within the specified duration",
        ),
        (
            Timeout,
            "AWS::ECS::Service",
            "Resource handler returned message: \"Exceeded attempts to wait\" (HandlerErrorCode: NotStabilized)",
        ),
        (
            Validation,
            "AWS::EC2::Subnet",
            "Properties validation failed for resource Subnet with message: #/CidrBlock: failed validation",
        ),
        (
            Validation,
            "AWS::EC2::VPC",
            "Resource handler returned message: \"odd\" (HandlerErrorCode: InvalidRequest)",
        ),
        (Other, "AWS::SNS::Topic", "Rate exceeded (Service: Sns, Error Code: Throttling)"),
        (Other, "AWS::SNS::Topic", "something new"),
    ] {
        assert_eq!(class_of(reason, resource_type, false), class, "{reason}");
    }
}

#[test]
fn the_next_command_fits_the_state() {
    let mut stuck = circumstances();
    stuck.status = StackStatus::UpdateRollbackFailed;
    stuck.stuck = vec!["Nested.Db".to_owned()];
    let failure = classified("AWS::RDS::DBInstance", "odd", &stuck);
    assert!(failure.advice.last().unwrap().contains("formwork rollback net --skip Nested.Db"));
    stuck.status = StackStatus::DeleteFailed;
    let failure = classified("AWS::S3::Bucket", "odd", &stuck);
    assert!(failure.advice.last().unwrap().contains("formwork destroy net --retain Nested.Db"));
}

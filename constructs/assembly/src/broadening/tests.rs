use serde_json::{Value, json};

use super::*;

mod edges;

fn words(before: &Value, after: &Value) -> Vec<String> {
    let found = broadenings(Side::of(before), Side::of(after));
    found.into_iter().map(|found| format!("{}: {}", found.logical_id, found.words)).collect()
}

fn role(statements: Value) -> Value {
    json!({ "Resources": { "Role": { "Type": "AWS::IAM::Role", "Properties": {
        "AssumeRolePolicyDocument": { "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "lambda.amazonaws.com" } }] },
        "Policies": [{ "PolicyName": "p", "PolicyDocument": { "Statement": statements } }],
    } } } })
}

fn allow(action: &str, resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": action, "Resource": resource })
}

#[test]
fn a_new_stack_tells_all_that_it_grants() {
    let after = role(json!([allow("s3:GetObject", "*")]));
    assert_eq!(
        words(&Value::Null, &after),
        ["Role: lets the service lambda.amazonaws.com assume the role", "Role: allows s3:GetObject on *"]
    );
    let found = broadenings(Side::of(&Value::Null), Side::of(&after));
    assert_eq!(found[1].pointer, "/Resources/Role/Properties/Policies/0/PolicyDocument/Statement/0");
    assert_eq!((found[1].kind, found[1].resource_type.as_str()), (BroadeningKind::Rights, "AWS::IAM::Role"));
}

#[test]
fn statements_that_only_moved_grant_nothing_new() {
    let (read, write) = (allow("s3:GetObject", "a"), allow("s3:PutObject", "a"));
    let before = role(json!([read, write]));
    assert!(words(&before, &role(json!([write, read]))).is_empty());
    let joined =
        json!([{ "Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": ["a"] }]);
    assert!(words(&before, &role(joined.clone())).is_empty());
    let lower = json!([allow("s3:getobject", "a")]);
    assert!(words(&before, &role(lower)).is_empty());
    assert!(words(&role(joined), &before).is_empty());
    // Into a policy resource of the same role.
    let mut apart = role(json!([read]));
    apart["Resources"]["Policy"] = json!({ "Type": "AWS::IAM::Policy", "Properties": {
        "PolicyName": "q", "Roles": [{ "Ref": "Role" }], "PolicyDocument": { "Statement": [write] } } });
    assert!(words(&before, &apart).is_empty());
    // And under another logical id.
    let mut renamed = before.clone();
    let resources = renamed["Resources"].as_object_mut().unwrap();
    let role = resources.remove("Role").unwrap();
    resources.insert("NewRole".to_owned(), role);
    assert!(words(&before, &renamed).is_empty());
}

#[test]
fn more_actions_resources_and_bearers_are_told_apart() {
    let before = role(json!([allow("s3:Get*", "a/*")]));
    let wider = json!([{ "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "a/b" }]);
    assert_eq!(words(&before, &role(wider)), ["Role: also allows s3:PutObject on a/b"]);
    assert_eq!(
        words(&before, &role(json!([allow("s3:GetObject", "b")]))),
        ["Role: allows s3:GetObject on b"]
    );
    assert_eq!(words(&before, &role(json!([allow("s3:*", "a/*")]))), ["Role: allows s3:* on a/*"]);
    let mut before = before;
    before["Resources"]["Other"] = json!({ "Type": "AWS::IAM::Role", "Properties": {} });
    before["Resources"]["P"] = json!({ "Type": "AWS::IAM::Policy", "Properties": {
        "Roles": [{ "Ref": "Role" }], "PolicyDocument": { "Statement": allow("sqs:*", "*") } } });
    let mut after = before.clone();
    after["Resources"]["P"]["Properties"]["Roles"] = json!([{ "Ref": "Role" }, { "Ref": "Other" }]);
    assert_eq!(words(&before, &after), ["P: allows sqs:* on *"]);
}

#[test]
fn denials_that_go_and_conditions_that_loosen() {
    let deny = json!({ "Effect": "Deny", "Action": "s3:*", "Resource": "*" });
    let narrow = json!({ "Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*" });
    assert_eq!(words(&role(json!([deny])), &role(json!([]))), ["Role: no longer denies s3:* on *"]);
    assert_eq!(words(&role(json!([deny])), &role(json!([narrow]))), ["Role: no longer denies s3:* on *"]);
    assert!(words(&role(json!([narrow])), &role(json!([deny]))).is_empty());
    assert!(words(&role(json!([deny])), &json!({ "Resources": {} })).is_empty());

    let when = |condition: Value| {
        let mut statement = allow("s3:GetObject", "*");
        statement["Condition"] = condition;
        role(json!([statement]))
    };
    let one = when(json!({ "StringEquals": { "aws:SourceAccount": "1" } }));
    let two = when(json!({ "StringEquals": { "aws:SourceAccount": ["1", "2"] } }));
    let free = role(json!([allow("s3:GetObject", "*")]));
    assert_eq!(words(&one, &free), ["Role: allows s3:GetObject on *, under looser conditions than before"]);
    assert!(words(&free, &one).is_empty() && words(&two, &one).is_empty());
    assert_eq!(words(&one, &two).len(), 1);
    let not = |values: Value| when(json!({ "StringNotEquals": { "aws:x": values } }));
    assert!(words(&not(json!("1")), &not(json!(["1", "2"]))).is_empty());
    assert_eq!(words(&not(json!(["1", "2"])), &not(json!("1"))).len(), 1);
}

#[test]
fn elements_that_are_negated() {
    let all_but = |names: Value| role(json!([{ "Effect": "Allow", "NotAction": names, "Resource": "*" }]));
    assert!(words(&all_but(json!("iam:*")), &all_but(json!(["iam:*", "sts:*"]))).is_empty());
    assert_eq!(
        words(&all_but(json!(["iam:*", "sts:*"])), &all_but(json!("iam:*"))),
        ["Role: allows everything except iam:* on *"]
    );
    assert!(words(&all_but(json!("iam:*")), &role(json!([allow("s3:Get*", "*")]))).is_empty());
    assert_eq!(words(&all_but(json!("iam:*")), &role(json!([allow("iam:Get*", "*")]))).len(), 1);
}

#[test]
fn trust_managed_policies_and_boundaries() {
    let before = json!({ "Resources": { "Role": { "Type": "AWS::IAM::Role", "Properties": {
        "AssumeRolePolicyDocument": { "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": { "AWS": "111122223333" }, "Condition": { "StringEquals": { "sts:ExternalId": "x" } } }] },
        "ManagedPolicyArns": ["a"], "PermissionsBoundary": "b" } } } });
    let mut after = before.clone();
    let properties = &mut after["Resources"]["Role"]["Properties"];
    properties["ManagedPolicyArns"] = json!(["c", "a"]);
    properties.as_object_mut().unwrap().remove("PermissionsBoundary");
    properties["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"] =
        json!(["arn:aws:iam::111122223333:root", "*"]);
    assert_eq!(
        words(&before, &after),
        [
            "Role: lets anyone assume the role (where sts:ExternalId match)",
            "Role: attaches the managed policy c",
            "Role: loses the permissions boundary b",
        ]
    );
}

#[test]
fn policies_of_resources() {
    let template = |kind: &str, properties: Value| json!({ "Resources": { "Bucket": { "Type": "AWS::S3::Bucket" }, "X": { "Type": kind, "Properties": properties } } });
    let open = json!({ "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": { "Fn::Join": ["", [{ "Fn::GetAtt": ["Bucket", "Arn"] }, "/*"]] } }] });
    let bucket = |document: &Value| {
        template(
            "AWS::S3::BucketPolicy",
            json!({ "Bucket": { "Ref": "Bucket" }, "PolicyDocument": document }),
        )
    };
    assert_eq!(words(&Value::Null, &bucket(&open)), ["X: allows s3:GetObject on ${Bucket.Arn}/* to anyone"]);
    let mut other_form = open.clone();
    other_form["Statement"][0]["Resource"] = json!({ "Fn::Sub": "${Bucket.Arn}/*" });
    assert!(words(&bucket(&open), &bucket(&other_form)).is_empty());
    // The policy goes and with it what it denied.
    let tls = json!({ "Statement": { "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
        "Condition": { "Bool": { "aws:SecureTransport": "false" } } } });
    let bare = json!({ "Resources": { "Bucket": { "Type": "AWS::S3::Bucket" } } });
    assert_eq!(words(&bucket(&tls), &bare), ["X: no longer denies s3:* on * to anyone"]);
    let repository = template("AWS::ECR::Repository", json!({ "RepositoryPolicyText": open.to_string() }));
    assert_eq!(words(&bare, &repository).len(), 1);
    let key = template(
        "AWS::KMS::Key",
        json!({ "KeyPolicy": { "Statement": [{ "Effect": "Allow",
        "Principal": { "AWS": { "Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root" } }, "Action": "kms:*", "Resource": "*" }] } }),
    );
    assert_eq!(words(&bare, &key), ["X: allows kms:* on * to arn:aws:iam::${AWS::AccountId}:root"]);
}

#[test]
fn permissions_of_functions() {
    let permission = |extra: Value| {
        let mut properties = json!({ "FunctionName": { "Ref": "F" }, "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com" });
        properties.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({ "Resources": { "P": { "Type": "AWS::Lambda::Permission", "Properties": properties } } })
    };
    let (limited, free) = (permission(json!({ "SourceArn": "arn:b" })), permission(json!({})));
    assert_eq!(
        words(&limited, &free),
        [
            "P: allows lambda:InvokeFunction on ${F} to the service s3.amazonaws.com, under looser conditions than before"
        ]
    );
    assert!(words(&free, &limited).is_empty());
}

#[test]
fn security_groups_inside_and_beside() {
    let group = |ingress: Value| {
        json!({ "Resources": { "G": { "Type": "AWS::EC2::SecurityGroup", "Properties": {
            "GroupDescription": "g", "SecurityGroupIngress": ingress,
            "SecurityGroupEgress": [{ "IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32" }] } } } })
    };
    let rule = |port: Value, cidr: &str| json!({ "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": cidr });
    let before = group(json!([rule(json!(443), "10.0.0.0/8"), rule(json!(80), "10.0.0.0/8")]));
    assert!(
        words(&before, &group(json!([rule(json!("80"), "10.1.0.0/16"), rule(json!(443), "10.0.0.0/8")])))
            .is_empty()
    );
    assert_eq!(
        words(&before, &group(json!([rule(json!(443), "0.0.0.0/0")]))),
        ["G: lets tcp 443 in from 0.0.0.0/0 (anywhere); before: tcp 443 10.0.0.0/8"]
    );
    let everything = json!([{ "IpProtocol": "-1", "CidrIpv6": "::/0" }]);
    assert_eq!(words(&before, &group(everything)), ["G: lets all traffic in from ::/0 (anywhere)"]);
    let mut apart = group(json!([rule(json!(80), "10.0.0.0/8")]));
    apart["Resources"]["R"] = json!({ "Type": "AWS::EC2::SecurityGroupIngress", "Properties": {
        "GroupId": { "Fn::GetAtt": ["G", "GroupId"] }, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8" } });
    assert!(words(&before, &apart).is_empty());
}

#[test]
fn a_group_without_outbound_rules_lets_everything_out() {
    let bare = json!({ "Resources": { "G": { "Type": "AWS::EC2::SecurityGroup", "Properties": { "GroupDescription": "g" } } } });
    let found = words(&Value::Null, &bare);
    assert_eq!(
        found,
        ["G: lets all traffic out to 0.0.0.0/0 (anywhere)", "G: lets all traffic out to ::/0 (anywhere)"]
    );
    let mut limited = bare.clone();
    limited["Resources"]["G"]["Properties"]["SecurityGroupEgress"] =
        json!([{ "IpProtocol": "tcp", "FromPort": 1, "ToPort": 9, "CidrIp": "1.2.3.4/32" }]);
    assert!(words(&bare, &limited).is_empty());
    assert_eq!(words(&limited, &bare).len(), 2);
}

#[test]
fn what_faces_the_internet() {
    let one = |kind: &str, properties: Value| json!({ "Resources": { "X": { "Type": kind, "Properties": properties } } });
    let balancer = |scheme: Value| one("AWS::ElasticLoadBalancingV2::LoadBalancer", scheme);
    let (inside, outside) =
        (balancer(json!({ "Scheme": "internal" })), balancer(json!({ "Scheme": "internet-facing" })));
    assert_eq!(words(&inside, &outside), ["X: faces the internet"]);
    assert_eq!(words(&inside, &balancer(json!({}))), ["X: faces the internet (the default)"]);
    assert!(words(&outside, &inside).is_empty() && words(&outside, &balancer(json!({}))).is_empty());
    let database = |public: Value| one("AWS::RDS::DBInstance", json!({ "PubliclyAccessible": public }));
    assert_eq!(
        words(&database(json!(false)), &database(json!("true"))),
        ["X: can be reached from the internet"]
    );
    let blocked =
        one("AWS::S3::Bucket", json!({ "PublicAccessBlockConfiguration": { "BlockPublicAcls": true } }));
    assert_eq!(
        words(&blocked, &one("AWS::S3::Bucket", json!({}))),
        ["X: no longer refuses public access lists"]
    );
    let routed = json!({ "Resources": { "Igw": { "Type": "AWS::EC2::InternetGateway" }, "R": { "Type": "AWS::EC2::Route", "Properties": {
        "RouteTableId": { "Ref": "T" }, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": { "Ref": "Igw" } } } } });
    assert_eq!(words(&Value::Null, &routed), ["R: routes 0.0.0.0/0 to the internet"]);
}

#[test]
fn conditions_and_parameters_count_with_their_values() {
    let template = |default: &str, public: &str, guarded: bool| {
        let rule = json!({ "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": { "Ref": "Cidr" } });
        let rule =
            if guarded { json!({ "Fn::If": ["Public", rule, { "Ref": "AWS::NoValue" }] }) } else { rule };
        json!({
            "Parameters": { "Cidr": { "Type": "String", "Default": default }, "Public": { "Type": "String", "Default": public } },
            "Conditions": { "Public": { "Fn::Equals": [{ "Ref": "Public" }, "yes"] } },
            "Resources": { "G": { "Type": "AWS::EC2::SecurityGroup", "Properties": {
                "SecurityGroupIngress": [rule], "SecurityGroupEgress": [] } } },
        })
    };
    let narrow = template("10.0.0.0/8", "yes", false);
    assert_eq!(
        words(&narrow, &template("0.0.0.0/0", "yes", false)),
        ["G: lets tcp 22 in from 0.0.0.0/0 (anywhere); before: tcp 22 10.0.0.0/8"]
    );
    assert_eq!(words(&template("10.0.0.0/8", "no", true), &template("10.0.0.0/8", "yes", true)).len(), 1);
    assert!(words(&narrow, &template("0.0.0.0/0", "no", true)).is_empty());
    // A given value counts before the default.
    let given = BTreeMap::from([("Cidr".to_owned(), "0.0.0.0/0".to_owned())]);
    let before = Side { template: &narrow, parameters: &given };
    let wide = template("0.0.0.0/0", "yes", false);
    assert!(broadenings(before, Side::of(&wide)).is_empty());
    // A condition on something unknown guards as long as it is the same.
    let open = |guarded: bool| {
        let mut template = template("0.0.0.0/0", "yes", guarded);
        template["Parameters"]["Public"].as_object_mut().unwrap().remove("Default");
        template
    };
    assert!(words(&open(false), &open(true)).is_empty() && words(&open(true), &open(true)).is_empty());
    assert_eq!(words(&open(true), &open(false)).len(), 1);
}

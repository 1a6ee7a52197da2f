//! The generator on made-up facts, where a case has to be exact, and on those of AWS.

use formwork_schema::{ResourceType, resource_type, type_names};
use serde_json::{Value, json};

use crate::{module, module_name};

fn facts(name: &str, properties: Value, more: Value) -> ResourceType {
    let mut record = json!({
        "name": name,
        "schema": {"type": "object", "properties": properties},
        "reference": {"properties": ["Id"]},
        "attributes": {"Id": {"type": "string"}},
        "readOnly": ["Id"],
        "regions": 0,
    });
    let fields = record.as_object_mut().expect("an object");
    for (key, value) in more.as_object().expect("an object") {
        match key.as_str() {
            "required" => fields["schema"]["required"] = value.clone(),
            _ => drop(fields.insert(key.clone(), value.clone())),
        }
    }
    serde_json::from_str(&record.to_string()).expect("facts")
}

fn generated(name: &str) -> String {
    module(&[resource_type(name).expect("a known type")])
}

/// The lines of the table of one resource or nested property.
fn table<'a>(module: &'a str, name: &str) -> Vec<&'a str> {
    let is_head = |line: &str| line.split(' ').next() == Some(name);
    let head = module.lines().position(|line| line.strip_prefix("    ").is_some_and(is_head));
    let head = head.unwrap_or_else(|| panic!("no table of {name} in\n{module}"));
    module.lines().skip(head).take_while(|line| *line != "}").map(str::trim).collect()
}

#[track_caller]
fn assert_has(table: &[&str], row: &str) {
    assert!(table.contains(&row), "no row `{row}` in {table:#?}");
}

#[test]
fn references_have_kinds() {
    let subnet = generated("AWS::EC2::Subnet");
    let subnet = table(&subnet, "CfnSubnet");
    assert_has(&subnet, r#"vpc_id "VpcId": VpcId,"#);
    assert_has(&subnet, r#"subnet_id "Ref": SubnetId,"#);
    let balancer = generated("AWS::ElasticLoadBalancingV2::LoadBalancer");
    let balancer = table(&balancer, "CfnLoadBalancer");
    assert_has(&balancer, r#"subnets "Subnets": Vec<SubnetId>,"#);
    assert_has(&balancer, r#"security_groups "SecurityGroups": Vec<SecurityGroupId>,"#);
    assert_has(&balancer, r#"load_balancer_arn "Ref": LoadBalancerArn,"#);
    let function = generated("AWS::Lambda::Function");
    assert_has(&table(&function, "CfnFunction"), r#"role "Role": RoleArn,"#);
    assert_has(&table(&function, "CfnFunction"), r#"arn "Arn": FunctionArn,"#);
    assert_has(
        &table(&function, "VpcConfig"),
        r#"security_group_ids "SecurityGroupIds": Vec<SecurityGroupId>,"#,
    );
    for (type_name, row) in [
        ("AWS::IAM::Role", r#"arn "Arn": RoleArn,"#),
        ("AWS::KMS::Key", r#"arn "Arn": KeyArn,"#),
        ("AWS::SageMaker::MlflowApp", r#"arn "Ref": MlflowArn,"#),
        ("AWS::SageMaker::MlflowTrackingServer", r#"tracking_server_arn "TrackingServerArn": MlflowArn,"#),
        ("AWS::SageMaker::Domain", r#"domain_id "Ref": DomainId,"#),
        ("AWS::SecretsManager::Secret", r#"id "Ref": SecretArn,"#),
        ("AWS::CertificateManager::Certificate", r#"certificate_arn "Ref": CertificateArn,"#),
    ] {
        let module = generated(type_name);
        let name = format!("Cfn{}", type_name.rsplit("::").next().expect("a name"));
        assert_has(&table(&module, &name), row);
    }
}

#[test]
fn the_name_that_a_resource_gets_is_text() {
    assert_has(&table(&generated("AWS::S3::Bucket"), "CfnBucket"), r#"bucket_name "BucketName": String,"#);
    assert_has(&table(&generated("AWS::S3::Bucket"), "CfnBucket"), r#"bucket_name "Ref": BucketName,"#);
}

#[test]
fn documents_are_json() {
    for name in ["ManagedPolicy", "Policy"] {
        let module = generated(&format!("AWS::IAM::{name}"));
        assert_has(&table(&module, &format!("Cfn{name}")), r#"policy_document "PolicyDocument": Json,"#);
    }
}

#[test]
fn required_properties_are_arguments_in_the_order_of_the_schema() {
    let properties = json!({"A": {"type": "string"}, "B": {"type": "integer"}, "C": {"type": "number"}});
    let module = module(&[&facts("AWS::Test::Thing", properties, json!({"required": ["C", "A"]}))]);
    assert_eq!(
        table(&module, "CfnThing")[1..8],
        ["required {", r#"c "C": f64,"#, r#"a "A": String,"#, "}", "optional {", r#"b "B": i64,"#, "}"]
    );
}

#[test]
fn more_than_four_required_properties_are_setters() {
    let text = json!({"type": "string"});
    let properties = json!({"A": text, "B": text, "C": text, "D": text, "E": text, "F": text});
    let required = json!({"required": ["A", "B", "C", "D", "E"]});
    let module = module(&[&facts("AWS::Test::Thing", properties, required)]);
    let table = table(&module, "CfnThing");
    assert_has(&table, "required {}");
    assert_eq!(table.iter().filter(|line| **line == "/// CloudFormation requires it.").count(), 5);
}

#[test]
fn what_only_aws_writes_has_no_setter() {
    let definitions = json!({"Part": {"type": "object", "properties": {
        "Set": {"type": "string"}, "Told": {"type": "string"},
    }}});
    let properties = json!({"Id": {"type": "string"}, "Part": {"ref": "Part"}, "Other": {"ref": "Part"}});
    let read_only = |paths: Value| {
        let more = json!({"definitions": definitions, "readOnly": paths});
        module(&[&facts("AWS::Test::Thing", properties.clone(), more)])
    };
    let told = r#"told "Told": String,"#;
    let never_written = read_only(json!(["Id", "Part/Told", "Other/Told"]));
    assert!(!never_written.contains(told) && !never_written.contains(r#"id "Id""#), "{never_written}");
    assert_has(&table(&never_written, "Part"), r#"set "Set": String,"#);
    let written_in_one_place = read_only(json!(["Id", "Part/Told"]));
    assert_has(&table(&written_in_one_place, "Part"), told);
}

#[test]
fn an_attribute_and_what_ref_returns_share_a_method() {
    let module = module(&[&facts("AWS::Test::Thing", json!({}), json!({}))]);
    assert_eq!(table(&module, "CfnThing")[3..], ["attributes {", r#"id "Ref": String,"#, "}"]);
    let policy = generated("AWS::IAM::RolePolicy");
    assert_has(&table(&policy, "CfnRolePolicy"), r#"reference "Ref": String,"#);
}

fn part(properties: Value) -> Value {
    json!({"definitions": {
        "Part": {"type": "object", "properties": properties},
        "Inner": {"type": "object", "properties": {"More": {"ref": "Part"}}},
    }})
}

#[test]
fn equal_definitions_are_shared_also_when_they_contain_themselves() {
    let top = json!({"Part": {"ref": "Part"}});
    let same = part(json!({"Inner": {"ref": "Inner"}, "Size": {"type": "integer"}}));
    let one = facts("AWS::Test::One", top.clone(), same.clone());
    let two = facts("AWS::Test::Two", top, same);
    let module = module(&[&one, &two]);
    assert_eq!(module.matches("cfn_property! {").count(), 2, "{module}");
    assert_has(&table(&module, "Inner"), r#"more "More": Part,"#);
    assert!(module.contains("/// The property type `Part` of 2 resource types."), "{module}");
}

#[test]
fn definitions_that_differ_deep_inside_are_kept_apart() {
    let top = json!({"Part": {"ref": "Part"}});
    let sized = part(json!({"Inner": {"ref": "Inner"}, "Size": {"type": "integer"}}));
    let named = part(json!({"Inner": {"ref": "Inner"}, "Size": {"type": "string"}}));
    let types = [
        facts("AWS::Test::One", top.clone(), sized.clone()),
        facts("AWS::Test::Three", top.clone(), sized),
        facts("AWS::Test::Two", top, named),
    ];
    let pair = module(&[&types[0], &types[2]]);
    assert_has(&table(&pair, "OnePart"), r#"inner "Inner": OneInner,"#);
    assert_has(&table(&pair, "TwoPart"), r#"inner "Inner": TwoInner,"#);
    // The meaning that most types share keeps the plain name.
    let all = module(&[&types[0], &types[1], &types[2]]);
    assert_has(&table(&all, "Part"), r#"size "Size": i64,"#);
    assert_has(&table(&all, "TwoPart"), r#"size "Size": String,"#);
}

#[test]
fn a_definition_never_takes_a_name_that_the_module_needs() {
    for taken in ["String", "VpcId", "Json", "Vec", "CfnThing", "ThingAttributes"] {
        let more =
            json!({"definitions": {taken: {"type": "object", "properties": {"A": {"type": "string"}}}}});
        let module = module(&[&facts("AWS::Test::Thing", json!({"X": {"ref": taken}}), more)]);
        assert!(!module.contains(&format!("\n    {taken}\n")), "{module}");
        let row = table(&module, "CfnThing").into_iter().find(|row| row.starts_with("x ")).expect("the row");
        assert!(row.starts_with(r#"x "X": Thing"#), "{row}");
    }
}

#[test]
fn one_tag_serves_all_types_of_a_service() {
    let top = json!({"Tags": {"type": "array", "items": {"ref": "Tag"}}});
    let tag = |required: Value| {
        let text = json!({"type": "string"});
        json!({"definitions": {"Tag": {
            "type": "object", "properties": {"Key": text, "Value": text}, "required": required,
        }}})
    };
    let one = facts("AWS::Test::One", top.clone(), tag(json!(["Value", "Key"])));
    let two = facts("AWS::Test::Two", top, tag(json!(["Key"])));
    let module = module(&[&one, &two]);
    assert_eq!(
        table(&module, "Tag"),
        ["Tag", "required {", r#"key "Key": String,"#, r#"value "Value": String,"#, "}", "optional {}"]
    );
}

#[test]
fn closed_sets_are_named_after_their_owner_and_their_constants_are_distinct() {
    let set = |values: Value| json!({"type": "string", "enum": values});
    let many: Vec<String> = (0..61).map(|number| format!("v{number}")).collect();
    let properties = json!({
        "ThingMode": set(json!(["GLACIER", "Glacier", "-1", "1", "*"])),
        "Empty": set(json!(["", "a"])),
        "Loose": {"type": "string", "enumCaseInsensitive": ["on", "off"]},
        "Many": set(json!(many)),
        "Several": {"type": "array", "items": set(json!(["x"]))},
    });
    let module = module(&[&facts("AWS::Test::Thing", properties, json!({}))]);
    assert_eq!(
        table(&module, "ThingMode")[1..6],
        [
            r#"GLACIER = "GLACIER","#,
            r#"GLACIER_2 = "Glacier","#,
            r#"MINUS_1 = "-1","#,
            r#"VALUE_1 = "1","#,
            r#"ANY = "*","#
        ]
    );
    assert_has(&table(&module, "ThingLoose"), r#"OFF = "off","#);
    let thing = table(&module, "CfnThing");
    assert_has(&thing, r#"thing_mode "ThingMode": ThingMode,"#);
    assert_has(&thing, r#"empty "Empty": String,"#);
    assert_has(&thing, r#"many "Many": String,"#);
    assert_has(&thing, r#"several "Several": Vec<ThingSeveral>,"#);
}

#[test]
fn methods_of_one_table_are_distinct() {
    let text = json!({"type": "string"});
    let properties =
        json!({"VPCName": text, "VpcName": text, "Type": text, "Define": text, "DependsOn": text});
    let module = module(&[&facts("AWS::Test::Thing", properties, json!({}))]);
    let thing = table(&module, "CfnThing");
    for row in [
        r#"vpc_name "VPCName": String,"#,
        r#"vpc_name_2 "VpcName": String,"#,
        r#"type_ "Type": String,"#,
        r#"define_ "Define": String,"#,
        r#"depends_on_ "DependsOn": String,"#,
    ] {
        assert_has(&thing, row);
    }
}

#[test]
fn the_order_of_the_types_does_not_matter() {
    let types: Vec<&ResourceType> =
        type_names().filter(|name| name.starts_with("AWS::WAFv2::")).filter_map(resource_type).collect();
    let reversed: Vec<&ResourceType> = types.iter().rev().copied().collect();
    assert!(types.len() > 3);
    assert_eq!(module(&types), module(&reversed));
}

#[test]
fn modules_are_named_after_services() {
    assert_eq!(module_name("AWS::ElasticLoadBalancingV2::Listener"), "elasticloadbalancingv2");
    assert_eq!(module_name("AWS::EC2::VPC"), "ec2");
}

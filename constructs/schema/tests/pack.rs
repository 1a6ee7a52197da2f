//! Every record of the pack can be read, and the facts that everything else stands on are right.

use formwork_schema::{Availability, Handler, JsonType, Keyword, Replacement, Schema, Shape, TagShape};

fn each_schema(schema: &Schema, visit: &mut impl FnMut(&Schema)) {
    visit(schema);
    for keyword in schema.keywords() {
        match keyword {
            Keyword::Properties(map) | Keyword::PatternProperties(map) | Keyword::DependentSchemas(map) => {
                map.values().for_each(|schema| each_schema(schema, visit));
            }
            Keyword::Items(schema)
            | Keyword::Not(schema)
            | Keyword::If(schema)
            | Keyword::Then(schema)
            | Keyword::Else(schema)
            | Keyword::Contains(schema)
            | Keyword::PropertyNames(schema)
            | Keyword::AdditionalProperties(schema) => each_schema(schema, visit),
            Keyword::AllOf(list)
            | Keyword::AnyOf(list)
            | Keyword::OneOf(list)
            | Keyword::PrefixItems(list) => {
                list.iter().for_each(|schema| each_schema(schema, visit));
            }
            _ => {}
        }
    }
}

#[test]
fn every_record_can_be_read_and_every_reference_leads_somewhere() {
    let mut count = 0;
    for name in formwork_schema::type_names() {
        let resource = formwork_schema::resource_type(name).expect("listed");
        assert_eq!(resource.name(), name);
        let roots = resource.definitions().values().chain([resource.schema()]);
        for root in roots.chain(resource.extensions().iter().map(|extension| &extension.schema)) {
            each_schema(root, &mut |schema| {
                if let Some(pattern) = schema.pattern() {
                    assert!(formwork_schema::pattern::is_usable(pattern), "{name}: {pattern}");
                }
                for pattern in schema.pattern_properties().into_iter().flat_map(|patterns| patterns.keys()) {
                    assert!(formwork_schema::pattern::is_usable(pattern), "{name}: {pattern}");
                }
                if let Some(definition) = schema.reference() {
                    assert!(resource.definitions().contains_key(definition), "{name}: {definition}");
                }
            });
        }
        for property in resource.properties() {
            property.shape();
        }
        resource.structures();
        count += 1;
    }
    assert!(count > 1_800, "{count} types");
    assert!(formwork_schema::services().len() > 300);
}

#[test]
fn facts_of_well_known_types() {
    let app = formwork_schema::resource_type("AWS::SageMaker::MlflowApp").expect("known");
    assert_eq!(app.required().len(), 3);
    assert_eq!(app.ref_value().properties, ["Arn"]);
    assert_eq!(app.available_in("us-east-1"), Availability::Yes);
    assert_eq!(app.available_in("af-south-1"), Availability::No);
    assert_eq!(app.available_in("us-iso-east-1"), Availability::Unknown);
    assert_eq!(app.regions().len(), 16);
    assert!(app.is_stateful());
    assert!(app.permissions(Handler::Create).expect("known").contains(&"iam:PassRole".to_owned()));
    assert_eq!(app.replacement("Name"), Replacement::Always);
    assert_eq!(app.replacement("Tags/0/Value"), Replacement::Never);

    let group = formwork_schema::resource_type("AWS::AutoScaling::AutoScalingGroup").expect("known");
    assert_eq!(group.tagging().expect("taggable").shape, TagShape::PropagatedList);

    let job = formwork_schema::resource_type("AWS::Batch::JobDefinition").expect("known");
    assert_eq!(job.ref_value().properties, ["JobDefinitionArn"]);

    let role = formwork_schema::resource_type("AWS::IAM::Role").expect("known");
    assert_eq!(role.attribute("Arn").and_then(|arn| arn.format.as_deref()), Some("AWS::IAM::Role.Arn"));
    let document = role.property("AssumeRolePolicyDocument").expect("known");
    assert!(document.required && matches!(document.shape(), Shape::Json));

    let balancer =
        formwork_schema::resource_type("AWS::ElasticLoadBalancingV2::LoadBalancer").expect("known");
    assert_eq!(balancer.attribute("SecurityGroups").map(|groups| groups.kind), Some(JsonType::Array));
    let Shape::List(attributes) = balancer.property("LoadBalancerAttributes").expect("known").shape() else {
        panic!("a list")
    };
    let Shape::Structure(attribute) = *attributes else { panic!("of structures") };
    assert_eq!(attribute.definition, Some("LoadBalancerAttribute"));
}

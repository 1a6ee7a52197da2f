//! The outputs and the configuration of the client.

use std::collections::BTreeMap;

use formwork::{Json, text};

use super::{Told, profile};
use crate::metaflow::testing::{rules, template, ui};
use crate::metaflow::{Api, ComputeProps, DatastoreProps, MetadataProps, MetaflowProps};

#[test]
fn the_profile_is_json_of_all_settings() {
    let bucket = formwork::BucketName::literal("data");
    let told = [
        Told::setting("A", "METAFLOW_A", "a", text!("s3://{}/metaflow", &bucket)),
        Told::output("B", "b", text!("not a setting")),
        Told::only_setting("METAFLOW_C", text!("service")),
    ];
    let text = profile(&told).as_literal().expect("a literal");
    let read: BTreeMap<String, String> =
        serde_json::from_str(text.as_str().expect("text")).expect("JSON of texts");
    assert_eq!(
        read.into_iter().collect::<Vec<_>>(),
        [
            ("METAFLOW_A".to_owned(), "s3://data/metaflow".to_owned()),
            ("METAFLOW_C".to_owned(), "service".to_owned())
        ]
    );
    assert_eq!(profile(&[]).as_literal(), Some(Json::from("{}")));
}

#[test]
fn outputs_have_the_names_and_keys_of_the_public_template() {
    let template = template(|props| MetaflowProps {
        api: Api::Public { allow_cidrs: vec!["203.0.113.0/24".to_owned()] },
        ui: Some(ui()),
        ..props
    });
    let outputs = template["Outputs"].as_object().expect("outputs");
    for (name, setting) in [
        ("MetaflowDataStoreS3Url", Some("METAFLOW_DATASTORE_SYSROOT_S3")),
        ("ServiceUrl", Some("METAFLOW_SERVICE_URL")),
        ("InternalServiceUrl", Some("METAFLOW_SERVICE_INTERNAL_URL")),
        ("ApiKeyId", Some("METAFLOW_SERVICE_AUTH_KEY")),
        ("MigrationFunctionName", None),
        ("RDSSecret", None),
        ("LoadBalancerUIZoneID", None),
        ("LoadBalancerUIDNSName", None),
    ] {
        let description = outputs[name]["Description"].as_str().expect(name);
        if let Some(setting) = setting {
            assert!(description.ends_with(&format!("[{setting}]")), "{name}: {description}");
        }
    }
}

#[test]
fn any_subset_synthesises() {
    for chosen in 1_u8..16 {
        let has = |bit: u8| chosen & (1 << bit) != 0;
        if !has(0) && !has(1) {
            continue;
        }
        let template = template(|props| MetaflowProps {
            datastore: has(0).then(DatastoreProps::default),
            metadata: has(1).then(MetadataProps::default),
            api: if has(1) && has(2) { Api::Private } else { Api::None },
            ui: (has(0) && has(1) && has(2)).then(ui),
            compute: (has(0) && has(3)).then(ComputeProps::default),
            step_functions: has(0) && has(3) && has(2),
            ..props
        });
        let settings = template["Outputs"]["MetaflowProfileJson"]["Value"].to_string();
        assert_eq!(settings.contains("METAFLOW_DATASTORE_SYSROOT_S3"), has(0), "{chosen}");
        assert_eq!(settings.contains("METAFLOW_SERVICE_URL"), has(1), "{chosen}");
        assert_eq!(settings.contains("METAFLOW_BATCH_JOB_QUEUE"), has(0) && has(3), "{chosen}");
    }
    let nothing = rules(|props| MetaflowProps { datastore: None, metadata: None, ..props });
    assert_eq!(nothing[0], "metaflow-parts");
    let no_data =
        rules(|props| MetaflowProps { datastore: None, compute: Some(ComputeProps::default()), ..props });
    assert_eq!(no_data, ["metaflow-parts"], "Batch needs the datastore");
}

//! What the tests of all parts stand on: Metaflow in a network of its own, as its stack's template shows it.

use formwork::{App, AppProps, Json, Severity, SynthesisError};

use super::{Metaflow, MetaflowProps, UiProps};
use crate::networking::{Networking, NetworkingProps};

/// The template of Metaflow's stack, or what is wrong.
pub(super) fn synth(
    change: impl for<'a> Fn(MetaflowProps<'a>) -> MetaflowProps<'a>,
) -> Result<Json, SynthesisError> {
    let app = App::new(AppProps::default());
    let networking = Networking::new(app.stack("networking"), "Networking", NetworkingProps::default());
    let stack = app.stack("metaflow");
    Metaflow::new(stack, "Metaflow", &change(MetaflowProps::new(&networking)));
    app.synth().map(|synthesis| {
        for found in &synthesis.diagnostics {
            assert!(found.severity < Severity::Warning, "{found}");
        }
        synthesis.template("metaflow").expect("the stack")
    })
}

pub(super) fn template(change: impl for<'a> Fn(MetaflowProps<'a>) -> MetaflowProps<'a>) -> Json {
    synth(change).unwrap_or_else(|error| {
        let shown: Vec<String> = error.diagnostics.iter().map(ToString::to_string).collect();
        panic!("{}", shown.join("\n\n"))
    })
}

/// The rules of the errors.
pub(super) fn rules(change: impl for<'a> Fn(MetaflowProps<'a>) -> MetaflowProps<'a>) -> Vec<String> {
    let error = synth(change).expect_err("it is refused");
    let errors = error.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    errors.map(|found| found.rule.clone()).collect()
}

/// The resources of a type, by logical id.
pub(super) fn resources<'t>(template: &'t Json, type_name: &str) -> Vec<(&'t str, &'t Json)> {
    let all = template["Resources"].as_object().expect("resources");
    all.iter().filter(|(_, it)| it["Type"] == type_name).map(|(id, it)| (id.as_str(), it)).collect()
}

/// The properties of the resources of a type.
pub(super) fn properties<'t>(template: &'t Json, type_name: &str) -> Vec<&'t Json> {
    resources(template, type_name).into_iter().map(|(_, resource)| &resource["Properties"]).collect()
}

/// The properties of the only resource of a type.
pub(super) fn one<'t>(template: &'t Json, type_name: &str) -> &'t Json {
    let found = properties(template, type_name);
    assert_eq!(found.len(), 1, "{type_name}");
    found[0]
}

/// A user interface with a certificate of its own.
pub(super) fn ui() -> UiProps {
    let zone = formwork::HostedZoneId::literal("Z0123456789ABCDEFGHIJ");
    UiProps { hosted_zone: Some(zone), ..UiProps::new("metaflow.example.com") }
}

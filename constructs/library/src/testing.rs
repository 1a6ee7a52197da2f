//! What the tests of constructs ask of a template.

use formwork::Json;

/// The resources of a type.
pub(crate) fn of_type<'t>(template: &'t Json, type_name: &str) -> Vec<&'t Json> {
    let resources = template["Resources"].as_object().expect("resources");
    resources.values().filter(|resource| resource["Type"] == type_name).collect()
}

/// The only resource of a type.
pub(crate) fn one<'t>(template: &'t Json, type_name: &str) -> &'t Json {
    let found = of_type(template, type_name);
    assert_eq!(found.len(), 1, "{type_name}");
    found[0]
}

/// The first resource with an id that starts so.
pub(crate) fn named<'t>(template: &'t Json, start: &str) -> &'t Json {
    let resources = template["Resources"].as_object().expect("resources");
    resources.iter().find(|(id, _)| id.starts_with(start)).unwrap_or_else(|| panic!("no {start}")).1
}

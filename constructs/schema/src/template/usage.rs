//! Parameters, conditions and mappings that nothing uses.

use std::collections::BTreeSet;

use formwork_assembly::ReferenceKind;

use super::context::{Context, pointer};

pub(super) fn check(context: &mut Context<'_>) {
    // A macro may use anything before CloudFormation sees it.
    if context.has_transform() {
        return;
    }
    let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
    for reference in &context.references.list {
        let section = match reference.kind {
            ReferenceKind::Ref | ReferenceKind::Sub | ReferenceKind::ValueOf => "Parameters",
            ReferenceKind::Condition | ReferenceKind::If => "Conditions",
            ReferenceKind::FindInMap { .. } => "Mappings",
            _ => continue,
        };
        used.insert((section, reference.target));
    }
    for (section, what, rule) in [
        ("Parameters", "parameter", "unused-parameter"),
        ("Conditions", "condition", "unused-condition"),
        ("Mappings", "mapping", "unused-mapping"),
    ] {
        if section == "Mappings" && context.references.computes_mapping_names {
            continue;
        }
        for (name, _) in context.entries(section) {
            if !used.contains(&(section, name)) {
                context
                    .warning(rule, pointer(&[section, name]), format!("the {what} `{name}` is not used"))
                    .hint = Some("remove it".to_owned());
            }
        }
    }
}

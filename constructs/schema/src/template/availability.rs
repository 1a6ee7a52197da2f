//! References to resources that may not be there: they are made under a condition that the reference does not share.

use formwork_assembly::ReferenceKind;
use formwork_assembly::references::only_member;
use serde_json::Value;

use super::context::Context;
use super::possibility::{Assumption, Possibilities};

pub(super) fn check(context: &mut Context<'_>) {
    let conditional = |name: &str| context.resources.get(name).and_then(|resource| resource.condition);
    if !context.resources.values().any(|resource| resource.condition.is_some()) {
        return;
    }
    let possibilities = Possibilities::new(&context.conditions, &context.parameters, context.options.region);
    let mut found = Vec::new();
    for reference in &context.references.list {
        let refers = matches!(
            reference.kind,
            ReferenceKind::Ref | ReferenceKind::GetAtt | ReferenceKind::Sub | ReferenceKind::DependsOn
        );
        let Some(condition) = conditional(reference.target).filter(|_| refers) else { continue };
        let mut assumptions = vec![(condition, false)];
        let owner = context.sections.get(reference.section).and_then(|section| section.get(reference.owner));
        if let Some(own) = owner.and_then(|owner| owner.get("Condition")).and_then(Value::as_str) {
            assumptions.push((own, true));
        }
        assumptions.extend(branches(context, &reference.pointer));
        if possibilities.possible(&assumptions) {
            let message = format!(
                "`{}` is made only when `{condition}` is true, but is referred to {}",
                reference.target,
                shown(&assumptions[1..])
            );
            found.push((reference.pointer.clone(), message));
        }
    }
    for (place, message) in found {
        context.warning("conditional-reference", place, message).hint =
            Some("give both the same condition, or choose with `Fn::If`".to_owned());
    }
}

/// The branches of `Fn::If` around a place, as assumptions.
fn branches<'t>(context: &Context<'t>, pointer: &str) -> Vec<Assumption<'t>> {
    let mut assumptions = Vec::new();
    let mut tokens =
        pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).peekable();
    let mut value = tokens.next().and_then(|section| context.sections.get(&section));
    while let (Some(here), Some(token)) = (value, tokens.next()) {
        value = match here {
            Value::Array(items) => token.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.get(&token),
        };
        let arguments =
            only_member(here).filter(|(name, _)| *name == "Fn::If").and_then(|(_, list)| list.as_array());
        if let Some([condition, ..]) = arguments.map(Vec::as_slice)
            && let Some(condition) = condition.as_str()
        {
            match tokens.peek().map(String::as_str) {
                Some("1") => assumptions.push((condition, true)),
                Some("2") => assumptions.push((condition, false)),
                _ => {}
            }
        }
    }
    assumptions
}

fn shown(assumptions: &[Assumption<'_>]) -> String {
    let parts: Vec<String> = assumptions.iter().map(|(name, value)| format!("`{name}` is {value}")).collect();
    match parts.as_slice() {
        [] => "in any case".to_owned(),
        parts => format!("whenever {}", parts.join(" and ")),
    }
}

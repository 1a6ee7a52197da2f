//! References to resources that may not be there: they are made under a condition that the reference does not share.

use formwork_assembly::ReferenceKind;
use formwork_assembly::references::only_member;
use serde_json::Value;

use super::context::Context;
use super::possibility::{Assumption, Possibilities};

pub(super) fn check(context: &mut Context<'_>) {
    if context.conditions.is_empty() {
        return;
    }
    let possibilities = Possibilities::new(&context.conditions, &context.parameters, context.options.region);
    let mut found = Vec::new();
    for reference in &context.references.list {
        let refers = reference.orders_resources();
        let target = context.resources.get(reference.target).filter(|_| refers);
        let made_when = target.and_then(|resource| resource.condition);
        let chooses = reference.kind == ReferenceKind::If;
        if made_when.is_none() && !chooses {
            continue;
        }
        let owner = context.sections.get(reference.section).and_then(|section| section.get(reference.owner));
        let own = owner.and_then(|owner| owner.get("Condition")).and_then(Value::as_str);
        let mut assumptions: Vec<Assumption<'_>> = own.map(|own| (own, true)).into_iter().collect();
        assumptions.extend(branches(context, &reference.pointer));
        if chooses {
            found.extend(unreachable(&possibilities, reference.target, &reference.pointer, &assumptions));
        } else if let Some(condition) = made_when {
            assumptions.insert(0, (condition, false));
            if possibilities.possible(&assumptions) {
                let message = format!(
                    "`{}` is made only when `{condition}` is true, but is referred to {}",
                    reference.target,
                    shown(&assumptions[1..])
                );
                found.push(("conditional-reference", reference.pointer.clone(), message));
            }
        }
    }
    for (rule, place, message) in found {
        context.warning(rule, place, message).hint = Some(
            match rule {
                "conditional-reference" => "give both the same condition, or choose with `Fn::If`",
                _ => "write the other branch without `Fn::If`",
            }
            .to_owned(),
        );
    }
}

/// A branch of `Fn::If` that nothing can lead to, given what holds around it.
fn unreachable<'t>(
    possibilities: &Possibilities<'t>,
    condition: &'t str,
    pointer: &str,
    around: &[Assumption<'t>],
) -> Option<(&'static str, String, String)> {
    let dead = [true, false].into_iter().find(|value| {
        let mut assumptions = around.to_vec();
        assumptions.push((condition, *value));
        possibilities.impossible(&assumptions) && possibilities.possible(around)
    })?;
    let place = pointer.strip_suffix("/0").unwrap_or(pointer);
    let message = match around {
        [] => format!("`{condition}` is never {dead}"),
        around => format!("`{condition}` is never {dead} where {}", listed(around)),
    };
    Some(("unreachable-branch", format!("{place}/{}", if dead { 1 } else { 2 }), message))
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
    match assumptions {
        [] => "in any case".to_owned(),
        assumptions => format!("where {}", listed(assumptions)),
    }
}

fn listed(assumptions: &[Assumption<'_>]) -> String {
    let parts: Vec<String> = assumptions.iter().map(|(name, value)| format!("`{name}` is {value}")).collect();
    parts.join(" and ")
}

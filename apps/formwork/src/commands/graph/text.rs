//! A drawing as lines for people.

use std::fmt::Write as _;

use super::drawing::Drawing;

/// Each node with what it needs beneath it.
pub(super) fn draw(drawing: &Drawing) -> String {
    let mut text = String::new();
    for group in &drawing.groups {
        let margin = if let Some(title) = &group.title {
            let _ = writeln!(text, "{title}");
            "  "
        } else {
            ""
        };
        let width = group.nodes.iter().map(|node| node.name.chars().count()).max().unwrap_or(0);
        for node in &group.nodes {
            let _ = writeln!(text, "{margin}{:<width$}  {}", node.name, node.detail);
            for arrow in drawing.arrows.iter().filter(|arrow| arrow.from == node.key) {
                // Inside its own group a name says enough.
                let target = group.nodes.iter().find(|other| other.key == arrow.to);
                let target = target.map_or(&arrow.to, |other| &other.name);
                let why = if arrow.reasons.is_empty() {
                    String::new()
                } else {
                    format!("  ({})", arrow.reasons.join(", "))
                };
                let _ = writeln!(text, "{margin}  -> {target}{why}");
            }
        }
    }
    text
}

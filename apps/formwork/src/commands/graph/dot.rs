//! A drawing for Graphviz (<https://graphviz.org/doc/info/lang.html>).

use std::fmt::Write as _;

use super::drawing::Drawing;

/// The whole graph.
pub(super) fn draw(drawing: &Drawing) -> String {
    let index = drawing.index();
    let mut text = "digraph formwork {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for (number, group) in drawing.groups.iter().enumerate() {
        let margin = if let Some(title) = &group.title {
            // Only a subgraph whose name begins so gets a frame.
            let _ = writeln!(text, "  subgraph cluster_{number} {{\n    label={};", quoted(&[title]));
            "    "
        } else {
            "  "
        };
        for node in &group.nodes {
            let label = quoted(&[&node.name, &node.detail]);
            let _ = writeln!(text, "{margin}n{} [label={label}];", index[node.key.as_str()]);
        }
        if group.title.is_some() {
            text.push_str("  }\n");
        }
    }
    for arrow in &drawing.arrows {
        let (from, to) = (index[arrow.from.as_str()], index[arrow.to.as_str()]);
        let _ = if arrow.reasons.is_empty() {
            writeln!(text, "  n{from} -> n{to};")
        } else {
            let reasons: Vec<&str> = arrow.reasons.iter().map(String::as_str).collect();
            writeln!(text, "  n{from} -> n{to} [label={}];", quoted(&reasons))
        };
    }
    text.push_str("}\n");
    text
}

/// Lines as one quoted string. A backslash begins an escape in labels, so it is doubled as well as quotes are escaped.
fn quoted(lines: &[&str]) -> String {
    let lines: Vec<String> =
        lines.iter().map(|line| line.replace('\\', "\\\\").replace('"', "\\\"")).collect();
    format!("\"{}\"", lines.join("\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_are_escaped() {
        assert_eq!(quoted(&["a\"b", "c\\n"]), r#""a\"b\nc\\n""#);
    }
}

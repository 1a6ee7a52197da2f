//! A drawing as a Mermaid flowchart (<https://mermaid.js.org/syntax/flowchart.html>).

use std::fmt::Write as _;

use super::drawing::{Drawing, Node};

/// The whole flowchart.
pub(super) fn draw(drawing: &Drawing) -> String {
    let index = drawing.index();
    let mut text = "flowchart LR\n".to_owned();
    for (number, group) in drawing.groups.iter().enumerate() {
        let margin = if let Some(title) = &group.title {
            let _ = writeln!(text, "  subgraph g{number} [\"{}\"]", escaped(title));
            "    "
        } else {
            "  "
        };
        for node in &group.nodes {
            let Node { key, name, detail } = node;
            let _ = writeln!(
                text,
                "{margin}n{}[\"{}<br/>{}\"]",
                index[key.as_str()],
                escaped(name),
                escaped(detail)
            );
        }
        if group.title.is_some() {
            text.push_str("  end\n");
        }
    }
    for arrow in &drawing.arrows {
        let (from, to) = (index[arrow.from.as_str()], index[arrow.to.as_str()]);
        let _ = if arrow.reasons.is_empty() {
            writeln!(text, "  n{from} --> n{to}")
        } else {
            let reasons: Vec<String> = arrow.reasons.iter().map(|reason| escaped(reason)).collect();
            writeln!(text, "  n{from} -->|\"{}\"| n{to}", reasons.join("<br/>"))
        };
    }
    text
}

/// Everything that could end a quoted label or begin markup, as the entity codes that Mermaid takes.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if character.is_alphanumeric() || " -_.:/,()".contains(character) {
            escaped.push(character);
        } else {
            let _ = write!(escaped, "#{};", u32::from(character));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::graph::drawing::{Arrow, Group};

    #[test]
    fn labels_cannot_break_out() {
        let node = |key: &str, name: &str| Node {
            key: key.to_owned(),
            name: name.to_owned(),
            detail: "AWS::SNS::Topic".to_owned(),
        };
        let drawing = Drawing {
            groups: vec![Group {
                title: Some("stack \"one\"".to_owned()),
                nodes: vec![node("s/a", "a\"]"), node("s/end", "end")],
            }],
            arrows: vec![Arrow {
                from: "s/end".to_owned(),
                to: "s/a".to_owned(),
                reasons: vec!["Ref".to_owned(), "a|b".to_owned()],
            }],
        };
        assert_eq!(
            draw(&drawing),
            "flowchart LR\n  subgraph g0 [\"stack #34;one#34;\"]\n    n0[\"a#34;#93;<br/>AWS::SNS::Topic\"]\n    \
             n1[\"end<br/>AWS::SNS::Topic\"]\n  end\n  n1 -->|\"Ref<br/>a#124;b\"| n0\n"
        );
    }
}

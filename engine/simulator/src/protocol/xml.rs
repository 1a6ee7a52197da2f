//! XML out, and the little XML that clients send.
//!
//! Requests hold elements and text only, so the reader knows no more than that: attributes, comments and declarations
//! are passed over.

use crate::api::{Content, Element};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// A document with one element, whose namespace is given.
pub fn document(root: &Element, namespace: Option<&str>) -> String {
    let mut text = DECLARATION.to_owned();
    let open = match namespace {
        Some(namespace) => format!("{} xmlns=\"{namespace}\"", root.name),
        None => root.name.clone(),
    };
    write_named(&mut text, &open, root);
    text
}

fn write_named(text: &mut String, open: &str, element: &Element) {
    text.push('<');
    text.push_str(open);
    text.push('>');
    match &element.content {
        Content::Text(inner) => escape(text, inner),
        Content::Elements(inner) => {
            for element in inner {
                write_named(text, &element.name, element);
            }
        }
    }
    text.push_str("</");
    text.push_str(&element.name);
    text.push('>');
}

fn escape(text: &mut String, plain: &str) {
    for character in plain.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            // A reader would make a line feed of it.
            '\r' => text.push_str("&#13;"),
            character => text.push(character),
        }
    }
}

/// The one element of a document; nothing when it is not well formed.
pub fn parse(text: &str) -> Option<Element> {
    let mut rest = text;
    let root = element(&mut rest, 0)?;
    Some(root)
}

fn element(rest: &mut &str, depth: usize) -> Option<Element> {
    // Nothing that AWS takes is deeper than this.
    if depth > 32 {
        return None;
    }
    *rest = after_markup(rest)?;
    let inside = rest.strip_prefix('<')?;
    let end = inside.find('>')?;
    let tag = &inside[..end];
    *rest = &inside[end + 1..];
    let empty = tag.ends_with('/');
    let name = tag.trim_end_matches('/').split_whitespace().next()?.to_owned();
    if empty {
        return Some(Element::text(&name, ""));
    }
    let mut inner = Vec::new();
    let mut words = String::new();
    loop {
        let next = rest.find('<')?;
        words.push_str(&rest[..next]);
        *rest = &rest[next..];
        if let Some(closing) = rest.strip_prefix("</") {
            let end = closing.find('>')?;
            if closing[..end].trim() != name {
                return None;
            }
            *rest = &closing[end + 1..];
            break;
        }
        if rest.starts_with("<!--") || rest.starts_with("<?") {
            *rest = after_markup(rest)?;
        } else {
            inner.push(element(rest, depth + 1)?);
        }
    }
    if inner.is_empty() {
        Some(Element::text(&name, unescape(&words)))
    } else {
        Some(Element::of(&name, inner))
    }
}

/// What comes after white space, declarations and comments.
fn after_markup(text: &str) -> Option<&str> {
    let mut rest = text.trim_start();
    loop {
        let end = if rest.starts_with("<!--") {
            rest.find("-->")? + 3
        } else if rest.starts_with("<?") {
            rest.find("?>")? + 2
        } else {
            return Some(rest);
        };
        rest = rest[end..].trim_start();
    }
}

fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let Some(end) = rest.find(';') else { break };
        match named(&rest[1..end]) {
            Some(character) => plain.push(character),
            None => plain.push_str(&rest[..=end]),
        }
        rest = &rest[end + 1..];
    }
    plain.push_str(rest);
    plain
}

fn named(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

impl Element {
    /// The first element of a name inside this one.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children().iter().find(|element| element.name == name)
    }

    /// The text of the first element of a name inside this one.
    pub fn child_text(&self, name: &str) -> Option<&str> {
        match &self.child(name)?.content {
            Content::Text(text) => Some(text),
            Content::Elements(_) => None,
        }
    }

    /// The elements inside this one.
    pub fn children(&self) -> &[Element] {
        match &self.content {
            Content::Text(_) => &[],
            Content::Elements(elements) => elements,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let root = Element::of(
            "A",
            [Element::text("B", "x < y & \"z\"\r\n"), Element::of("C", [Element::text("D", "é")])],
        );
        assert_eq!(parse(&document(&root, Some("urn:x"))), Some(root));
    }

    #[test]
    fn attributes_comments_and_empty_elements_are_passed_over() {
        let text = "<?xml version=\"1.0\"?><!-- a --><R xmlns=\"u\"> <B/> <!-- <c> --> <D a=\"b\">1&#x41;&apos;</D></R>";
        assert_eq!(parse(text), Some(Element::of("R", [Element::text("B", ""), Element::text("D", "1A'")])));
    }

    #[test]
    fn what_is_not_well_formed_is_none() {
        for text in ["", "text", "<a>", "<a></b>", "<a", "<a><b></a>", &"<a>".repeat(100)] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

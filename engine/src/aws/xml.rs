//! Reads the XML that services answer: elements and their text, no more.
//!
//! The SDK reads its own services' answers. This is for calls without an SDK client, and for telling a whole answer from
//! one that was cut off, which the SDK does not.

/// An element of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// The name, without a namespace's prefix.
    pub name: String,
    /// The text in it, without that of its children.
    pub text: String,
    /// The elements in it, in order.
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of a name.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// The first element of a name in any depth, itself included.
    pub fn find(&self, name: &str) -> Option<&Element> {
        if self.name == name {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(name))
    }

    /// The members of a list, which AWS calls `member` or `item`.
    pub fn members(&self, name: &str) -> impl Iterator<Item = &Element> {
        let list = self.child(name).map(|list| list.children.as_slice()).unwrap_or_default();
        list.iter().filter(|member| member.name == "member" || member.name == "item")
    }
}

/// Whether a body is a whole document, by its first and last tag.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn complete(body: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(body).map_err(|_| "the answer is no text".to_owned())?.trim();
    if text.is_empty() {
        return Err("the answer is empty".to_owned());
    }
    let start = root(text).ok_or_else(|| "the answer is no XML".to_owned())?;
    let name: String =
        start[1..].chars().take_while(|letter| !letter.is_whitespace() && !"/>".contains(*letter)).collect();
    if text.ends_with(&format!("</{name}>"))
        || (start.ends_with("/>") && start.find('>') == Some(start.len() - 1))
    {
        return Ok(());
    }
    if name.eq_ignore_ascii_case("html") || name == "!DOCTYPE" {
        return Err("the answer is a web page and not the service's".to_owned());
    }
    Err(format!("the answer is cut off after {} bytes", body.len()))
}

/// The text from the first element on: past the declaration, comments and a byte order mark.
fn root(text: &str) -> Option<&str> {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest {
            _ if rest.starts_with("<?") => "?>",
            _ if rest.starts_with("<!--") => "-->",
            _ => return rest.starts_with('<').then_some(rest),
        };
        rest = rest.split_once(end)?.1.trim_start();
    }
}

/// Reads a document.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read(text: &str) -> Result<Element, String> {
    let mut rest = root(text).ok_or_else(|| "the answer is no XML".to_owned())?;
    let mut open: Vec<Element> = Vec::new();
    loop {
        let Some(start) = rest.find('<') else { return Err("the answer is cut off".to_owned()) };
        if let Some(parent) = open.last_mut() {
            parent.text.push_str(&unescape(&rest[..start]));
        }
        rest = &rest[start..];
        if let Some((text, after)) = rest.strip_prefix("<![CDATA[").and_then(|rest| rest.split_once("]]>")) {
            if let Some(parent) = open.last_mut() {
                parent.text.push_str(text);
            }
            rest = after;
            continue;
        }
        if rest.starts_with("<!--") {
            rest = rest.split_once("-->").ok_or("the answer is cut off")?.1;
            continue;
        }
        let (tag, after) = rest[1..].split_once('>').ok_or("the answer is cut off")?;
        rest = after;
        let closed = if tag.starts_with('/') {
            open.pop().ok_or("the answer closes what it did not open")?
        } else {
            let name = tag.trim_end_matches('/').split_whitespace().next().unwrap_or_default();
            let name = name.rsplit(':').next().unwrap_or(name).to_owned();
            let element = Element { name, ..Element::default() };
            if !tag.ends_with('/') {
                open.push(element);
                continue;
            }
            element
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(tidy(closed)),
            None => return Ok(tidy(closed)),
        }
    }
}

/// Spaces between elements are no text.
fn tidy(mut element: Element) -> Element {
    if !element.children.is_empty() {
        element.text = element.text.trim().to_owned();
    }
    element
}

fn unescape(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((name, after)) = part.split_once(';') else {
            plain.push('&');
            plain.push_str(part);
            continue;
        };
        let number = name.strip_prefix("#x").map(|digits| u32::from_str_radix(digits, 16));
        let number = number.or_else(|| name.strip_prefix('#').map(str::parse));
        let letter = match name {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => number.and_then(Result::ok).and_then(char::from_u32),
        };
        match letter {
            Some(letter) => plain.push(letter),
            None => plain.extend(["&", name, ";"]),
        }
        plain.push_str(after);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_or_says_what_is_missing() {
        let whole = "<?xml version=\"1.0\"?>\n<!-- x --><AResponse xmlns=\"u\"><B/></AResponse>\n";
        assert_eq!(complete(whole.as_bytes()), Ok(()));
        assert_eq!(complete(b"<AResponse/>"), Ok(()));
        for length in 1..whole.trim_end().len() {
            assert!(complete(&whole.as_bytes()[..length]).is_err(), "{length}");
        }
        assert_eq!(complete(b" \n"), Err("the answer is empty".to_owned()));
        assert!(complete(b"<html><body>log in</body>").is_err_and(|why| why.contains("web page")));
        assert!(complete(b"not xml").is_err());
    }

    #[test]
    fn elements_and_texts_are_read() {
        let text = "<a:R xmlns:a='u'><L><member>1 &lt;&#x41;&amp;&unknown;</member> <item><K>k</K></item></L><E/></a:R>";
        let read = read(text).expect("reads");
        let members: Vec<_> = read.members("L").collect();
        assert_eq!(read.name, "R");
        assert_eq!(members[0].text, "1 <A&&unknown;");
        assert_eq!(members[1].text_of("K"), Some("k"));
        assert_eq!(read.text_of("E"), Some(""));
        assert_eq!(read.find("K").map(|found| found.text.as_str()), Some("k"));
    }

    proptest::proptest! {
        /// Fault 18: whatever a broken server answers, reading it never panics.
        #[test]
        fn garbage_never_panics(text in "[<>/!?&;a-c \\-\\[\\]CDATA#x0-9é]{0,60}") {
            let _ = read(&text);
            let _ = complete(text.as_bytes());
        }
    }
}

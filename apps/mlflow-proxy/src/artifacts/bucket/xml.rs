//! The few documents that S3 speaks in.

use std::fmt::Write;

use percent_encoding::percent_decode_str;
use roxmltree::{Document, Node};

/// One page of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::artifacts) struct Listing {
    /// Keys and sizes in bytes.
    pub(in crate::artifacts) objects: Vec<(String, u64)>,
    /// Directories below: what keys have in common up to the next slash, with it.
    pub(in crate::artifacts) directories: Vec<String>,
    /// Where the next page begins.
    pub(in crate::artifacts) next: Option<String>,
}

/// The text of the first element with a name; `None` where the document has none or is none.
pub(in crate::artifacts) fn text_of(document: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(document).ok()?;
    let document = Document::parse(text).ok()?;
    let found = document.descendants().find(|node| node.has_tag_name_of(name))?;
    Some(found.text().unwrap_or_default().to_owned())
}

/// Reads a page of a list.
///
/// # Errors
/// When the document is not one.
pub(in crate::artifacts) fn listing(document: &[u8]) -> Result<Listing, String> {
    let text = std::str::from_utf8(document).map_err(|error| error.to_string())?;
    let document = Document::parse(text).map_err(|error| error.to_string())?;
    let root = document.root_element();
    if !root.has_tag_name_of("ListBucketResult") {
        return Err(format!("it is a {}, not a list", root.tag_name().name()));
    }
    // Keys may hold what XML cannot; they come encoded where the request asked for it and the service knows how.
    let encoded = root.child_text("EncodingType") == Some("url");
    let decode = |text: &str| -> Result<String, String> {
        if !encoded {
            return Ok(text.to_owned());
        }
        let spaces = text.replace('+', " ");
        percent_decode_str(&spaces)
            .decode_utf8()
            .map(|text| text.into_owned())
            .map_err(|error| error.to_string())
    };
    let mut page = Listing::default();
    for node in root.children().filter(Node::is_element) {
        match node.tag_name().name() {
            "Contents" => {
                let key = decode(node.child_text("Key").unwrap_or_default())?;
                let size = node.child_text("Size").and_then(|size| size.trim().parse().ok()).unwrap_or(0);
                page.objects.push((key, size));
            }
            "CommonPrefixes" => page.directories.push(decode(node.child_text("Prefix").unwrap_or_default())?),
            _ => {}
        }
    }
    if root.child_text("IsTruncated") == Some("true") {
        page.next = root.child_text("NextContinuationToken").map(str::to_owned);
        if page.next.is_none() {
            return Err("a list goes on, but does not say where".to_owned());
        }
    }
    Ok(page)
}

/// Whether a document can carry a key. Others can only be named by the path of a request. Source: `Char`, XML 1.0.
pub(in crate::artifacts) fn can_carry(key: &str) -> bool {
    let carried = |letter: char| match letter {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        other => other >= ' ',
    };
    key.chars().all(carried)
}

/// The document that deletes keys. What was deleted is not told back, only what was not.
pub(in crate::artifacts) fn deletion(keys: &[String]) -> String {
    let mut text = String::from("<Delete><Quiet>true</Quiet>");
    for key in keys {
        write!(text, "<Object><Key>{}</Key></Object>", escaped(key))
            .expect("a string can always be written to");
    }
    text.push_str("</Delete>");
    text
}

/// The code and the words of the first key that was not deleted.
pub(in crate::artifacts) fn deletion_failure(document: &[u8]) -> Option<(String, String)> {
    let document = Document::parse(std::str::from_utf8(document).ok()?).ok()?;
    let error = document.descendants().find(|node| node.has_tag_name_of("Error"))?;
    let field = |name: &str| error.child_text(name).unwrap_or_default().to_owned();
    Some((field("Code"), field("Message")))
}

/// The document that makes an object of its parts.
pub(in crate::artifacts) fn parts_document(parts: &[(u32, String)]) -> String {
    let mut text =
        String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (number, tag) in parts {
        write!(text, "<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", escaped(tag))
            .expect("a string can always be written to");
    }
    text.push_str("</CompleteMultipartUpload>");
    text
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other if other.is_control() => {
                write!(escaped, "&#{};", u32::from(other)).expect("a string can always be written to");
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Looks past namespaces, which services other than AWS's leave out.
trait Named<'a> {
    fn has_tag_name_of(&self, name: &str) -> bool;
    fn child_text(&self, name: &str) -> Option<&'a str>;
}

impl<'a> Named<'a> for Node<'a, '_> {
    fn has_tag_name_of(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }

    fn child_text(&self, name: &str) -> Option<&'a str> {
        self.children().find(|child| child.has_tag_name_of(name))?.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_with_and_without_encoding() {
        let page = br#"<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
            <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>a+b=</NextContinuationToken>
            <Contents><Key>pre/a+b%2Bc%0A.txt</Key><Size>12</Size></Contents>
            <CommonPrefixes><Prefix>pre/d%C3%BC/</Prefix></CommonPrefixes></ListBucketResult>"#;
        let expected = Listing {
            objects: vec![("pre/a b+c\n.txt".to_owned(), 12)],
            directories: vec!["pre/dü/".to_owned()],
            next: Some("a+b=".to_owned()),
        };
        assert_eq!(listing(page).unwrap(), expected);
        let plain = "<ListBucketResult><Contents><Key>a+b &amp; c%20</Key><Size>0</Size></Contents></ListBucketResult>";
        assert_eq!(listing(plain.as_bytes()).unwrap().objects, [("a+b & c%20".to_owned(), 0)]);
    }

    #[test]
    fn what_is_no_page_is_told() {
        assert!(listing(b"<html></html>").unwrap_err().contains("html"));
        assert!(listing(b"garbage").is_err());
        assert!(listing(b"\xff").is_err());
        assert!(listing(b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>").is_err());
    }

    #[test]
    fn documents_escape_what_they_carry() {
        assert_eq!(
            deletion(&["a<&>\"\r".to_owned()]),
            "<Delete><Quiet>true</Quiet><Object><Key>a&lt;&amp;&gt;&quot;&#13;</Key></Object></Delete>"
        );
        for (key, carried) in
            [("a\t\n\r\u{7f}ü日", true), ("a\u{1}", false), ("\0", false), ("\u{ffff}", false)]
        {
            assert_eq!(can_carry(key), carried, "{key:?}");
            let document = deletion(&[key.to_owned()]);
            assert_eq!(text_of(document.as_bytes(), "Key").as_deref() == Some(key), carried, "{key:?}");
        }
        let parts = parts_document(&[(1, "\"abc\"".to_owned())]);
        assert!(parts.contains("<Part><PartNumber>1</PartNumber><ETag>&quot;abc&quot;</ETag></Part>"));
    }

    #[test]
    fn errors_inside_of_documents_are_found() {
        let document = b"<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>";
        assert_eq!(deletion_failure(document), Some(("AccessDenied".to_owned(), "no".to_owned())));
        assert_eq!(deletion_failure(b"<DeleteResult></DeleteResult>"), None);
        assert_eq!(text_of(b"<Error><Code>NoSuchKey</Code></Error>", "Code").as_deref(), Some("NoSuchKey"));
        assert_eq!(text_of(b"not XML", "Code"), None);
    }
}

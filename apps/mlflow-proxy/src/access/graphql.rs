//! Whether a GraphQL request only queries: just enough of its grammar to be sure.
//!
//! All definitions of the document count, whichever is executed, since who chooses is on the other side. What cannot be
//! understood with certainty is not taken for a query. Source: GraphQL specification, October 2021, section 2.

use serde::Deserialize;

/// What a GraphQL request may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// It only reads.
    Query,
    /// It may change something, or it cannot be told.
    Other,
}

/// The body. A key that stands there twice is an error: readers of JSON choose differently between them.
#[derive(Deserialize)]
struct Request {
    query: String,
}

/// What the body of a request may do.
pub(super) fn operation(body: &[u8]) -> Operation {
    match serde_json::from_slice::<Request>(body) {
        Ok(request) if only_queries(&request.query) => Operation::Query,
        _ => Operation::Other,
    }
}

/// Whether a document holds queries and fragments, and nothing else.
fn only_queries(document: &str) -> bool {
    let mut tokens = Tokens { rest: document };
    let mut queries = 0;
    loop {
        match tokens.next() {
            Some(Token::End) => return queries > 0,
            Some(Token::Name("query")) => {
                queries += 1;
                if !tokens.skip_to_selection() {
                    return false;
                }
            }
            Some(Token::Name("fragment")) => {
                if !tokens.skip_to_selection() {
                    return false;
                }
            }
            Some(Token::Open('{')) => queries += 1,
            _ => return false,
        }
        if !tokens.skip_selection() {
            return false;
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    Open(char),
    Close(char),
    Other,
    End,
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    /// The next token, `None` where there is none that can be told.
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.rest = self.rest.trim_start_matches(['\u{feff}', ' ', '\t', '\n', '\r', ',']);
            match self.rest.strip_prefix('#') {
                Some(comment) => self.rest = &comment[comment.find(['\n', '\r']).unwrap_or(comment.len())..],
                None => break,
            }
        }
        let Some(first) = self.rest.chars().next() else { return Some(Token::End) };
        let (token, length) = match first {
            '{' | '(' | '[' => (Token::Open(first), 1),
            '}' | ')' | ']' => (Token::Close(first), 1),
            '"' => (Token::Other, string(self.rest)?),
            '_' | 'a'..='z' | 'A'..='Z' => {
                let is_part = |character: char| character == '_' || character.is_ascii_alphanumeric();
                let length = self.rest.find(|character| !is_part(character)).unwrap_or(self.rest.len());
                (Token::Name(&self.rest[..length]), length)
            }
            '!' | '$' | '&' | '.' | ':' | '=' | '@' | '|' | '-' | '+' | '0'..='9' => (Token::Other, 1),
            _ => return None,
        };
        self.rest = &self.rest[length..];
        Some(token)
    }

    /// Goes past the brace that opens the selection of a definition; braces of default values stand in brackets.
    fn skip_to_selection(&mut self) -> bool {
        loop {
            match self.next() {
                Some(Token::Open('{')) => return true,
                Some(Token::Open(open)) => {
                    if !self.skip(open) {
                        return false;
                    }
                }
                Some(Token::Name(_) | Token::Other) => {}
                Some(Token::Close(_) | Token::End) | None => return false,
            }
        }
    }

    fn skip_selection(&mut self) -> bool {
        self.skip('{')
    }

    /// Goes past what closes a bracket that was just opened.
    fn skip(&mut self, open: char) -> bool {
        let mut opened = vec![open];
        while let Some(last) = opened.last().copied() {
            match self.next() {
                Some(Token::Open(open)) => opened.push(open),
                Some(Token::Close(close)) if pairs(last, close) => {
                    opened.pop();
                }
                Some(Token::Name(_) | Token::Other) => {}
                Some(Token::Close(_) | Token::End) | None => return false,
            }
        }
        true
    }
}

fn pairs(open: char, close: char) -> bool {
    matches!((open, close), ('{', '}') | ('(', ')') | ('[', ']'))
}

/// The length of the string that begins here, with its quotes.
fn string(text: &str) -> Option<usize> {
    if let Some(block) = text.strip_prefix("\"\"\"") {
        let mut from = 0;
        loop {
            let end = from + block[from..].find("\"\"\"")?;
            if !block[..end].ends_with('\\') {
                return Some(end + 6);
            }
            from = end + 3;
        }
    }
    let mut escaped = false;
    for (index, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(index + 1),
            '\n' | '\r' => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;

//! What a request says about who asks: its `Authorization` header.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// What all tokens of ours begin with.
pub(super) const TOKEN_PREFIX: &str = "fwp_";

/// The longest header that is read. JSON Web Tokens with many groups are a few KiB long.
const LONGEST: usize = 16 * 1024;

/// What somebody offers to show who they are.
pub(super) enum Offer {
    /// A token of ours, as a bearer token or in the place of a password.
    Token(String),
    /// Another bearer token.
    Bearer(String),
    /// A name with a password.
    Password { name: String, password: String },
}

impl Offer {
    /// Why an offer of this sort is of no use here.
    pub(super) fn not_taken(&self) -> &'static str {
        match self {
            Self::Token(_) => "tokens of users are not taken here",
            Self::Bearer(_) => "the token is none of this proxy's",
            Self::Password { .. } => "passwords are not taken here",
        }
    }
}

/// What the request offers, if anything.
///
/// # Errors
///
/// What is wrong with the header, when it cannot be understood in one way only.
pub(super) fn read(headers: &HeaderMap) -> Result<Option<Offer>, &'static str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err("the request has more than one authorization header");
    }
    let text = value.to_str().map_err(|_| "the authorization header is not plain text")?;
    if text.len() > LONGEST {
        return Err("the authorization header is too long");
    }
    let (scheme, rest) = text.split_once(' ').ok_or("the authorization header has no value")?;
    let rest = rest.trim_matches(' ');
    if scheme.eq_ignore_ascii_case("bearer") {
        let token = rest.to_owned();
        return Ok(Some(if rest.starts_with(TOKEN_PREFIX) {
            Offer::Token(token)
        } else {
            Offer::Bearer(token)
        }));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err("the scheme of the authorization header is neither Bearer nor Basic");
    }
    let wrong = "the authorization header is not valid Basic authentication";
    let decoded = STANDARD.decode(rest).map_err(|_| wrong)?;
    let decoded = String::from_utf8(decoded).map_err(|_| wrong)?;
    let (name, password) = decoded.split_once(':').ok_or(wrong)?;
    Ok(Some(if password.starts_with(TOKEN_PREFIX) {
        Offer::Token(password.to_owned())
    } else {
        Offer::Password { name: name.to_owned(), password: password.to_owned() }
    }))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn offer(value: &str) -> Result<String, &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        Ok(match read(&headers)?.unwrap() {
            Offer::Token(token) => format!("token {token}"),
            Offer::Bearer(token) => format!("bearer {token}"),
            Offer::Password { name, password } => format!("password {name} {password}"),
        })
    }

    #[test]
    fn the_header_is_read_as_clients_send_it() {
        assert_eq!(offer("Bearer fwp_1"), Ok("token fwp_1".to_owned()));
        assert_eq!(offer("bearer  a.b.c "), Ok("bearer a.b.c".to_owned()));
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        assert_eq!(
            offer(&basic("ann:a:b")),
            Ok("password ann a:b".to_owned()),
            "a password may hold a colon"
        );
        assert_eq!(offer(&basic("any:fwp_1")), Ok("token fwp_1".to_owned()));
        assert_eq!(offer(&basic("jürg:ß")), Ok("password jürg ß".to_owned()));
        for wrong in
            ["Bearer", "Digest x", "Basic ?", "Basic YQ==", &format!("Bearer {}", "x".repeat(LONGEST))]
        {
            assert!(offer(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn two_headers_are_refused_and_none_is_no_offer() {
        let mut headers = HeaderMap::new();
        assert!(matches!(read(&headers), Ok(None)));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer b"));
        assert!(read(&headers).is_err());
    }
}

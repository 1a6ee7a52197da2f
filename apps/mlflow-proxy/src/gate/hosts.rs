//! By which names the proxy may be called, and which web pages may change something through it.
//!
//! A browser tells the name that a page used. A page that makes its own name point at the proxy (DNS rebinding) is found
//! out by that, and one that sends from elsewhere by its origin.

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, Method, StatusCode};

use crate::problem::Problem;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The names by which the proxy may be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    any: bool,
    exact: Vec<(String, Option<u16>)>,
    suffixes: Vec<String>,
}

impl Hosts {
    /// Any name.
    pub fn any() -> Self {
        Self { any: true, ..Self::default() }
    }

    /// The names of this machine for itself.
    pub fn loopback() -> Self {
        let names = ["localhost", "127.0.0.1", "[::1]"];
        Self { exact: names.map(|name| (name.to_owned(), None)).into(), ..Self::default() }
    }

    /// Adds a name, or why it is none.
    pub(super) fn add(&mut self, name: &str) -> Result<(), &'static str> {
        if name == "*" {
            self.any = true;
            return Ok(());
        }
        if let Some(suffix) = name.strip_prefix('*') {
            let valid = suffix.len() > 1 && suffix.starts_with('.') && !suffix.contains(['*', ':', '/']);
            self.suffixes.push(suffix.to_ascii_lowercase());
            return if valid { Ok(()) } else { Err("in which a star does not stand for the first names") };
        }
        let authority = authority(name).ok_or("which is no name of a host")?;
        if name.contains('*') {
            return Err("in which a star does not stand for the first names");
        }
        self.exact.push((authority.host().to_ascii_lowercase(), authority.port_u16()));
        Ok(())
    }

    /// Whether a host and port, as a client gives them, are among the names.
    pub(super) fn allow(&self, given: &Authority) -> bool {
        if self.any {
            return true;
        }
        let host = given.host();
        let host = host.strip_suffix('.').unwrap_or(host);
        let named = |(name, port): &(String, Option<u16>)| {
            name.eq_ignore_ascii_case(host) && port.is_none_or(|port| given.port_u16() == Some(port))
        };
        let below = |suffix: &String| {
            let from = host.len().checked_sub(suffix.len()).filter(|from| *from > 0);
            from.and_then(|from| host.get(from..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
        };
        self.exact.iter().any(named) || self.suffixes.iter().any(below)
    }

    /// Refuses a name that is not among the allowed ones.
    pub(super) fn check(&self, given: Option<&Authority>) -> Result<(), Problem> {
        match given {
            _ if self.any => Ok(()),
            Some(given) if self.allow(given) => Ok(()),
            given => {
                let name = given.map_or("", Authority::as_str);
                let message = format!("`{name}` is no name that this proxy may be called by");
                Err(Problem::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message)
                    .hint("use the proxy's own address, or add the name to MLFLOW_PROXY_ALLOWED_HOSTS"))
            }
        }
    }
}

/// Host and port, without a user's name in it.
pub(super) fn authority(text: &str) -> Option<Authority> {
    let authority: Authority = text.parse().ok()?;
    let port = text.strip_prefix(authority.host())?;
    let valid = port.is_empty() || authority.port_u16().is_some();
    (valid && !authority.host().is_empty() && !text.contains('@')).then_some(authority)
}

/// The host that a request of HTTP/1.1 names, which has to be one exactly.
pub(super) fn only_host(headers: &HeaderMap) -> Result<Option<Authority>, &'static str> {
    let mut values = headers.get_all(HOST).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err("the request has more than one Host header");
    }
    let host = first.to_str().ok().and_then(authority).ok_or("the Host header is no name of a host")?;
    Ok(Some(host))
}

/// Refuses what changes something and comes from another site's page. Programs that are no browsers send neither header.
pub(super) fn check_origin(
    method: &Method,
    headers: &HeaderMap,
    host: Option<&Authority>,
) -> Result<(), Problem> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let foreign = match headers.get(ORIGIN) {
        Some(origin) => {
            let origin = origin.to_str().unwrap_or("null");
            !host.is_some_and(|host| is_same(origin, host))
        }
        None => headers
            .get(SEC_FETCH_SITE)
            .is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none")),
    };
    if !foreign && headers.get_all(ORIGIN).iter().nth(1).is_none() {
        return Ok(());
    }
    let message = "a page of another site may not change anything here (cross-origin request)";
    Err(Problem::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message)
        .hint("open the page by the proxy's own address, or send the request from a program"))
}

/// Whether an origin is the host that was asked. The scheme is not compared: a balancer may have taken TLS off.
fn is_same(origin: &str, host: &Authority) -> bool {
    let Some((scheme, rest)) = origin.split_once("://") else { return false };
    let default = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let Some(origin) = authority(rest) else { return false };
    let asked = host.port_u16().unwrap_or(default);
    origin.host().eq_ignore_ascii_case(host.host()) && origin.port_u16().unwrap_or(default) == asked
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn hosts(names: &[&str]) -> Hosts {
        let mut hosts = Hosts::default();
        names.iter().for_each(|name| hosts.add(name).unwrap());
        hosts
    }

    #[test]
    fn names_are_allowed_exactly_below_a_suffix_or_with_a_port() {
        let hosts = hosts(&["mlflow.example.com", "*.internal.example", "other.example:8443", "[::1]"]);
        for (name, allowed) in [
            ("mlflow.example.com", true),
            ("MLFLOW.example.COM:5000", true),
            ("mlflow.example.com.", true),
            ("mlflow.example.com.evil.net", false),
            ("evil-mlflow.example.com", false),
            ("a.internal.example", true),
            ("a.b.internal.example:80", true),
            ("internal.example", false),
            (".internal.example", false),
            ("evilinternal.example", false),
            ("other.example:8443", true),
            ("other.example", false),
            ("other.example:80", false),
            ("[::1]:5000", true),
            ("127.0.0.1", false),
        ] {
            let given = authority(name);
            assert_eq!(given.is_some_and(|given| hosts.allow(&given)), allowed, "{name}");
        }
        assert!(hosts.check(None).is_err());
        assert!(Hosts::any().check(None).is_ok());
        assert!(Hosts::loopback().allow(&authority("[::1]:5000").unwrap()));
    }

    #[test]
    fn what_is_no_name_cannot_be_allowed() {
        for name in ["", "*example.com", "a*b", "*.", "http://a", "a/b", "user@host", "host:port", "*.*.a"] {
            assert!(Hosts::default().add(name).is_err(), "{name}");
        }
    }

    #[test]
    fn pages_of_other_sites_change_nothing() {
        let host = authority("mlflow.example.com").unwrap();
        let asks = |method: &Method, pairs: &[(HeaderName, &str)]| {
            let header =
                |(name, value): &(HeaderName, &str)| (name.clone(), HeaderValue::from_str(value).unwrap());
            check_origin(method, &pairs.iter().map(header).collect(), Some(&host)).is_ok()
        };
        for (origin, fine) in [
            ("https://mlflow.example.com", true),
            ("http://mlflow.example.com", true),
            ("https://MLflow.example.com:443", true),
            ("https://mlflow.example.com:8443", false),
            ("https://evil.example", false),
            ("https://mlflow.example.com.evil.example", false),
            ("https://mlflow.example.com@evil.example", false),
            ("file://mlflow.example.com", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(asks(&Method::POST, &[(ORIGIN, origin)]), fine, "{origin}");
            assert!(asks(&Method::GET, &[(ORIGIN, origin)]), "asking is free: {origin}");
        }
        assert!(asks(&Method::POST, &[]), "no browser");
        assert!(!asks(&Method::DELETE, &[(SEC_FETCH_SITE, "cross-site")]));
        assert!(!asks(&Method::PUT, &[(SEC_FETCH_SITE, "same-site")]));
        assert!(asks(&Method::PATCH, &[(SEC_FETCH_SITE, "same-origin")]));
        let twice = [(ORIGIN, "https://mlflow.example.com"), (ORIGIN, "https://mlflow.example.com")];
        let mut headers = HeaderMap::new();
        for (name, value) in twice {
            headers.append(name, HeaderValue::from_static(value));
        }
        assert!(check_origin(&Method::POST, &headers, Some(&host)).is_err());
    }
}

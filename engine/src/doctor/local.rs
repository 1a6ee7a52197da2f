//! This machine: the proxy and the certificates that requests to AWS go by.
//!
//! Both are found without an account. They come first because everything that is asked later fails by them.

use std::collections::BTreeMap;
use std::path::Path;

use super::Check;
use crate::aws::local::{certificates_in, without_credentials};

/// The address at which an instance learns its credentials; no proxy reaches it.
const METADATA: &str = "169.254.169.254";
/// The variables that name a proxy, each with its small form, which goes first.
const PROXIES: [&str; 3] = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];

/// The checks of this machine; `variables` are those of the process.
pub fn local(variables: &BTreeMap<String, String>) -> Vec<Check> {
    vec![proxy(variables), certificates(variables)]
}

fn either<'v>(variables: &'v BTreeMap<String, String>, name: &str) -> Option<&'v str> {
    let small = name.to_ascii_lowercase();
    let value = variables.get(&small).or_else(|| variables.get(name))?;
    Some(value.as_str()).filter(|value| !value.is_empty())
}

fn proxy(variables: &BTreeMap<String, String>) -> Check {
    let set: Vec<String> = PROXIES
        .iter()
        .filter_map(|name| Some(format!("{name}={}", without_credentials(either(variables, name)?))))
        .collect();
    if set.is_empty() {
        return Check::ok("proxy", "", "no proxy is set");
    }
    let direct = either(variables, "NO_PROXY").unwrap_or_default();
    let detail = match direct {
        "" => set.join(", "),
        direct => format!("{}, NO_PROXY={direct}", set.join(", ")),
    };
    if direct.split(',').any(|entry| covers(entry.trim(), METADATA)) {
        return Check::ok("proxy", "", detail);
    }
    let more = if direct.is_empty() { METADATA.to_owned() } else { format!("{direct},{METADATA}") };
    Check::warning("proxy", "", format!("{detail}: the metadata address {METADATA} is not left out")).with_hint(
        format!("set NO_PROXY={more}, so that other programs on an instance find its credentials; Formwork itself asks without a proxy"),
    )
}

/// Whether an entry of `NO_PROXY` names an address: itself, everything, or a range that it lies in.
fn covers(entry: &str, address: &str) -> bool {
    let number = |text: &str| text.parse::<std::net::Ipv4Addr>().ok().map(u32::from);
    if entry == "*" || entry == address {
        return true;
    }
    let Some((network, bits)) = entry.split_once('/') else { return false };
    match (number(network), bits.parse::<u32>(), number(address)) {
        (Some(network), Ok(bits @ 0..=32), Some(address)) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            network & mask == address & mask
        }
        _ => false,
    }
}

fn certificates(variables: &BTreeMap<String, String>) -> Check {
    const NAME: &str = "certificates";
    let Some(path) = variables.get("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) else {
        return Check::ok(NAME, "", "those of the operating system");
    };
    let subject = "AWS_CA_BUNDLE";
    let way_out = "name a file of certificates in PEM form in AWS_CA_BUNDLE, or take the variable away";
    match std::fs::read_to_string(Path::new(path)) {
        Err(error) => {
            let reason = error.to_string().to_lowercase();
            Check::failed(NAME, subject, format!("{path} cannot be read: {reason}")).with_hint(way_out)
        }
        Ok(text) => match certificates_in(&text) {
            0 => Check::failed(NAME, subject, format!("{path} holds no certificate in PEM form"))
                .with_hint(way_out),
            1 => Check::ok(NAME, subject, format!("1 certificate in {path}")),
            number => Check::ok(NAME, subject, format!("{number} certificates in {path}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_proxy_has_to_leave_out_the_metadata_address() {
        assert_eq!(proxy(&variables(&[])).outcome, Outcome::Ok);
        let through = ("https_proxy", "http://user:secret@proxy.example:3128");
        let check = proxy(&variables(&[through]));
        assert_eq!(check.outcome, Outcome::Warning);
        assert!(check.detail.contains("HTTPS_PROXY=http://proxy.example:3128"), "{}", check.detail);
        assert!(!check.detail.contains("secret") && check.hint.is_some());
        for covered in ["169.254.169.254", "localhost, 169.254.169.254", "169.254.0.0/16", "*"] {
            let check = proxy(&variables(&[through, ("NO_PROXY", covered)]));
            assert_eq!(check.outcome, Outcome::Ok, "{covered}");
        }
        for other in ["localhost", "169.254.170.0/24", "10.0.0.0/8"] {
            let check = proxy(&variables(&[through, ("NO_PROXY", other)]));
            assert_eq!(check.outcome, Outcome::Warning, "{other}");
        }
    }

    #[test]
    fn a_bundle_has_to_be_readable_and_hold_certificates() {
        assert_eq!(certificates(&variables(&[])).outcome, Outcome::Ok);
        let missing = certificates(&variables(&[("AWS_CA_BUNDLE", "/nowhere/at/all.pem")]));
        assert_eq!(missing.outcome, Outcome::Failed);
        assert!(missing.detail.starts_with("/nowhere/at/all.pem cannot be read"), "{}", missing.detail);
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = file.path().to_str().expect("text");
        let empty = certificates(&variables(&[("AWS_CA_BUNDLE", path)]));
        assert_eq!(empty.outcome, Outcome::Failed);
        assert!(empty.detail.ends_with("holds no certificate in PEM form"), "{}", empty.detail);
    }
}

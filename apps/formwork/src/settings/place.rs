//! Accounts and regions: whether they look right.

use formwork::{Diagnostic, Severity};

use super::Setting;
use crate::failure::Failure;
use crate::suggestion::nearest;

/// An account is 12 digits.
pub(crate) fn check_account(account: &Setting) -> Result<(), Failure> {
    let Setting { value, origin } = account;
    if value.len() == 12 && value.chars().all(|character| character.is_ascii_digit()) {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "account `{value}` (set by {origin}) is not an account\nhint: give its 12 digits"
    )))
}

/// A region looks like `us-gov-west-1`; one that nobody has heard of is only odd, because AWS opens new ones.
pub(crate) fn check_region(region: &Setting) -> Result<Option<Diagnostic>, Failure> {
    let Setting { value, origin } = region;
    let parts: Vec<&str> = value.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.chars().all(|character| character.is_ascii_lowercase());
    let number = |part: &str| !part.is_empty() && part.chars().all(|character| character.is_ascii_digit());
    let known: Vec<&str> = formwork_schema::regions().iter().map(String::as_str).collect();
    let near = nearest(value, known.iter().copied());
    let shaped = parts.len() >= 3
        && parts.split_last().is_some_and(|(last, words)| number(last) && words.iter().all(word));
    if !shaped {
        let hint = match near {
            Some(near) => format!("did you mean {near}?"),
            None => "a region looks like us-east-1".to_owned(),
        };
        return Err(Failure::Usage(format!(
            "region `{value}` (set by {origin}) is not a region\nhint: {hint}"
        )));
    }
    if known.contains(&value.as_str()) {
        return Ok(None);
    }
    let message = format!("region `{value}` (set by {origin}) is not one that this version knows");
    let hint = match near {
        Some(near) => format!("did you mean {near}? nothing can be said about what a new region offers"),
        None => "nothing can be said about what a new region offers".to_owned(),
    };
    Ok(Some(Diagnostic::new(Severity::Warning, "unknown-region", message).with_hint(hint)))
}

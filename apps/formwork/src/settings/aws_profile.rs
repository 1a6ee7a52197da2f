//! The region of a profile in the AWS configuration files.
//!
//! Only headings and `region` are read; keys and tokens in those files are passed over. The format is that of
//! <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html>.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::{Setting, Surroundings};
use crate::failure::Failure;

/// The region of a profile that somebody asked for.
///
/// # Errors
/// When there is no such profile.
pub(crate) fn region_of(profile: &Setting, surroundings: &Surroundings) -> Result<Option<Setting>, Failure> {
    let profiles = profiles(surroundings);
    match profiles.get(&profile.value) {
        Some(region) => Ok(region.as_deref().map(|region| from_profile(region, &profile.value))),
        None => {
            let Setting { value, origin } = profile;
            let names: Vec<&str> = profiles.keys().map(String::as_str).collect();
            let hint = if names.is_empty() {
                "there is no profile; `aws configure` makes one".to_owned()
            } else {
                format!("there is {}", names.join(", "))
            };
            Err(Failure::Usage(format!(
                "profile `{value}` (set by {origin}) is not in the AWS configuration files\nhint: {hint}"
            )))
        }
    }
}

/// The region of the profile that `AWS_PROFILE` names, or of the default one.
pub(crate) fn region_of_current(surroundings: &Surroundings) -> Option<Setting> {
    let named = surroundings.variable("AWS_PROFILE").or_else(|| surroundings.variable("AWS_DEFAULT_PROFILE"));
    let name = named.map_or("default".to_owned(), |setting| setting.value);
    let region = profiles(surroundings).remove(&name)??;
    Some(from_profile(&region, &name))
}

fn from_profile(region: &str, profile: &str) -> Setting {
    Setting::new(region, format!("AWS profile {profile}"))
}

/// All profiles with their regions. A file that cannot be read has none.
fn profiles(surroundings: &Surroundings) -> BTreeMap<String, Option<String>> {
    let home = surroundings.variables.get("HOME").or_else(|| surroundings.variables.get("USERPROFILE"));
    let file = |variable: &str, name: &str| -> Option<String> {
        let path = match (surroundings.variables.get(variable), home) {
            (Some(path), _) => PathBuf::from(path),
            (None, Some(home)) => PathBuf::from(home).join(".aws").join(name),
            (None, None) => return None,
        };
        fs::read_to_string(path).ok()
    };
    let mut profiles = BTreeMap::new();
    if let Some(text) = file("AWS_SHARED_CREDENTIALS_FILE", "credentials") {
        read(&text, |heading| Some(heading.to_owned()), &mut profiles);
    }
    if let Some(text) = file("AWS_CONFIG_FILE", "config") {
        let name = |heading: &str| match heading {
            "default" => Some(heading.to_owned()),
            other => other.strip_prefix("profile ").map(|name| name.trim().to_owned()),
        };
        read(&text, name, &mut profiles);
    }
    profiles
}

fn read(
    text: &str,
    profile_of: impl Fn(&str) -> Option<String>,
    profiles: &mut BTreeMap<String, Option<String>>,
) {
    let mut profile = None;
    for line in text.lines() {
        // An indented line belongs to a group of settings such as `s3 =`, never to the profile itself.
        if line.starts_with([' ', '\t', '#', ';']) {
            continue;
        }
        if let Some(heading) = line.strip_prefix('[') {
            profile = heading.split(']').next().and_then(|heading| profile_of(heading.trim()));
            profiles.extend(
                profile
                    .iter()
                    .filter(|name| !profiles.contains_key(*name))
                    .map(|name| (name.clone(), None))
                    .collect::<Vec<_>>(),
            );
        } else if let (Some(profile), Some((key, value))) = (&profile, line.split_once('='))
            && key.trim() == "region"
        {
            let value = value.split([' ', '\t']).find(|part| !part.is_empty()).unwrap_or_default();
            profiles.insert(profile.clone(), Some(value.to_owned()).filter(|value| !value.is_empty()));
        }
    }
}

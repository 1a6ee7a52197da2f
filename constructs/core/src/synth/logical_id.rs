//! Logical ids: a pure function of a construct's path, the same as the CDK's.
//!
//! The human part is the path without characters that CloudFormation does not take; eight hex digits of the path's MD5
//! keep ids of different paths apart. An id directly in the stack keeps its name as it is.

use md5::{Digest, Md5};

/// The id that CDK constructs give to the one resource they wrap.
const HIDDEN_FROM_HUMANS: &str = "Resource";
/// The id that leaves no trace, neither in the human part nor in the hash.
const HIDDEN: &str = "Default";
const GREATEST_HUMAN_LENGTH: usize = 240;
/// Logical ids have 255 characters at most (AWS CloudFormation User Guide, "Resources").
const GREATEST_LENGTH: usize = 255;

/// The logical id of a path within its stack, or nothing when the path has no letter or digit.
pub(crate) fn logical_id(path: &[&str]) -> Option<String> {
    let parts: Vec<&str> = path.iter().copied().filter(|part| *part != HIDDEN).collect();
    if let [only] = parts.as_slice() {
        let id = alphanumeric(only);
        if !id.is_empty() && id.len() <= GREATEST_LENGTH {
            return Some(id);
        }
    }
    let mut kept: Vec<&str> = Vec::new();
    for part in &parts {
        if kept.last().is_none_or(|previous| !previous.ends_with(part)) {
            kept.push(part);
        }
    }
    let mut human: String =
        kept.into_iter().filter(|part| *part != HIDDEN_FROM_HUMANS).map(alphanumeric).collect();
    human.truncate(GREATEST_HUMAN_LENGTH);
    if parts.is_empty() || (human.is_empty() && parts.iter().all(|part| alphanumeric(part).is_empty())) {
        return None;
    }
    let digest = Md5::digest(parts.join("/").as_bytes());
    let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02X}")).collect();
    Some(format!("{human}{hash}"))
}

/// The letters and digits of a text.
pub(crate) fn alphanumeric(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_cdk() {
        // Taken from templates that the CDK wrote for these paths.
        assert_eq!(logical_id(&["Vpc", "Resource"]).as_deref(), Some("Vpc8378EB38"));
        assert_eq!(logical_id(&["Topic"]).as_deref(), Some("Topic"));
        assert_eq!(logical_id(&["Default", "Topic"]).as_deref(), Some("Topic"));
    }

    #[test]
    fn a_part_that_repeats_the_end_of_the_one_before_is_left_out_of_the_human_part() {
        let id = logical_id(&["Networking", "Networking", "Vpc"]).expect("has letters");
        assert!(id.starts_with("NetworkingVpc") && id.len() == "NetworkingVpc".len() + 8, "{id}");
    }

    #[test]
    fn long_paths_stay_within_the_limit_and_apart() {
        let long = "a".repeat(300);
        let left = logical_id(&[&long, "left"]).expect("has letters");
        let right = logical_id(&[&long, "right"]).expect("has letters");
        assert!(left.len() <= GREATEST_LENGTH && left != right);
        assert!(logical_id(&[&long]).expect("has letters").len() <= GREATEST_LENGTH);
    }

    #[test]
    fn a_path_of_signs_has_no_id() {
        assert_eq!(logical_id(&["--"]), None);
        assert_eq!(logical_id(&["Default"]), None);
    }
}

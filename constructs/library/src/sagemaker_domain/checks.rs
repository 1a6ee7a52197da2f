//! What can be known to be wrong about a domain before it is made.

use std::collections::BTreeSet;

use formwork::{Diagnostic, Scope, Severity};

use super::{AuthMode, SageMakerDomainProps, SpaceStorage};
use crate::managed_mlflow::is_name;

/// The longest name of a domain or a user profile.
const LONGEST_NAME: usize = 63;

/// What the service takes as minutes without work, and as the size of a space in GiB.
const IDLE_MINUTES: std::ops::RangeInclusive<i64> = 60..=525_600;
const SPACE_GIB: std::ops::RangeInclusive<i64> = 5..=16_384;

/// The most subnets that a domain takes.
const MOST_SUBNETS: usize = 16;

/// The name that stands in for one that SageMaker does not take.
const NAME_STAND_IN: &str = "studio";

/// The props with stand-ins for what is wrong about them, which is reported at the construct: so the schema, which knows
/// less of the way out, does not tell the same again.
pub(super) fn checked<'a>(scope: Scope<'_>, mut props: SageMakerDomainProps<'a>) -> SageMakerDomainProps<'a> {
    let error = |rule: &str, message: String, hint: &str| {
        scope.report(Diagnostic::error(rule, message).with_hint(hint));
    };
    if !is_name(&props.name, LONGEST_NAME) {
        let message = format!("`{}` is not a name that SageMaker takes for a domain", props.name);
        error("domain-name", message, "use letters, digits and hyphens between them, 63 characters at most");
        props.name = NAME_STAND_IN.to_owned();
    }
    if let Some(minutes) = props.idle_shutdown_minutes
        && !IDLE_MINUTES.contains(&minutes)
    {
        let message = format!("apps are stopped after {minutes} idle minutes, but 60 to 525600 are possible");
        error("domain-idle", message, "set 60 or more, or nothing to let apps run");
        props.idle_shutdown_minutes = Some(minutes.clamp(*IDLE_MINUTES.start(), *IDLE_MINUTES.end()));
    }
    let storage = props.space_storage;
    if !SPACE_GIB.contains(&storage.default_gib)
        || !SPACE_GIB.contains(&storage.maximum_gib)
        || storage.default_gib > storage.maximum_gib
    {
        let message =
            format!("a space has {} GiB at first and {} at most", storage.default_gib, storage.maximum_gib);
        error("domain-storage", message, "set sizes from 5 to 16384 GiB, the first not over the second");
        props.space_storage = SpaceStorage::default();
    }
    let subnets = props.networking.private_subnets.len();
    if !(1..=MOST_SUBNETS).contains(&subnets) {
        let message =
            format!("the domain is given {subnets} private subnets, but it takes 1 to {MOST_SUBNETS}");
        error("domain-subnets", message, "give a network with private subnets in two zones");
    }
    if props.home_file_system {
        note_home_file_system(scope);
    }
    props.user_profiles = Some(checked_users(scope, &props));
    props
}

/// The users that can have a profile.
fn checked_users(scope: Scope<'_>, props: &SageMakerDomainProps<'_>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut users = props.user_profiles();
    users.retain(|user| {
        let name = profile_name(user);
        let is_possible = is_name(&name, LONGEST_NAME) && (props.auth_mode == AuthMode::Sso || name == *user);
        if !is_possible {
            let message = format!("`{user}` is not a name that SageMaker takes for a user profile");
            let hint = "use letters, digits and hyphens between them, 63 characters at most";
            scope.report(Diagnostic::error("domain-user", message).with_hint(hint));
        }
        let is_new = taken.insert(name);
        if !is_new {
            let message = format!("there are two user profiles for `{user}`");
            scope.report(Diagnostic::error("domain-user", message).with_hint("name each user once"));
        }
        is_possible && is_new
    });
    users
}

fn note_home_file_system(scope: Scope<'_>) {
    let message = "the home file system stays behind when the domain is deleted, and the VPC with it";
    let hint = "remove the file system, its mount targets and the security groups with its id in their names by hand \
                before the network is deleted";
    scope.report(Diagnostic::new(Severity::Note, "domain-home-file-system", message).with_hint(hint));
}

/// The name of a user's profile: users of IAM Identity Center may be called `ann@example.com`.
pub(super) fn profile_name(user: &str) -> String {
    let allowed = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    user.chars().map(allowed).collect()
}

/// Whether a text is the id of a domain: `d-` and lower-case letters and digits with hyphens between them.
pub fn is_domain_id(text: &str) -> bool {
    text.strip_prefix("d-").is_some_and(|rest| {
        is_name(rest, 61) && !rest.chars().any(|character| character.is_ascii_uppercase())
    })
}

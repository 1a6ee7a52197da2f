//! Settings that AWS would refuse, or that cannot mean what they say: all of them are reported at once, before anything
//! is made, each with its context key and the way out.

mod forms;
mod load_balancer;
mod metaflow;
mod names;
mod parts;
mod proxy;
mod server;
mod sign_in;
mod unused;

use formwork::{App, Diagnostic};

use crate::settings::{Component, MetaflowPart, MetaflowSettings, PlatformSettings, ServerSettings};

/// What a check looks at, and where it reports.
struct Review<'a> {
    app: &'a App,
    settings: &'a PlatformSettings,
    metaflow: &'a MetaflowSettings,
    server: &'a ServerSettings,
}

impl Review<'_> {
    /// Reports a mistake. The message names the key and the value.
    fn refuse(&self, message: impl Into<String>, hint: &str) {
        self.app.root().report(Diagnostic::error("context-settings", message).with_hint(hint));
    }

    /// Whether somebody gave a key a value, be it that of the default.
    fn is_set(&self, key: &str) -> bool {
        let value = self.app.context().get(key).map(|entry| &entry.value);
        value.is_some_and(|value| {
            !value.is_null()
                && value.as_str() != Some("")
                && value.as_array().is_none_or(|list| !list.is_empty())
        })
    }

    /// Whether Metaflow is chosen, and its bucket is one that is made.
    fn makes_metaflow_bucket(&self) -> bool {
        let own = self.metaflow;
        self.settings.has(Component::Metaflow)
            && own.has(MetaflowPart::Datastore)
            && own.metaflow_bucket.is_none()
    }

    /// Reports an ARN of another region than that of the stacks, as far as that is known.
    fn refuse_other_region(&self, key: &str, arn_region: &str) {
        if let Some(region) = self.app.environment().region
            && region != arn_region
        {
            self.refuse(
                format!("{key} is in {arn_region}, but the stacks are in {region}"),
                "name one in the region of the stacks, or choose the other region with --region",
            );
        }
    }
}

/// Reports every mistake, and returns the settings with defaults in place of values that the constructs would complain
/// about once more, each in its own words.
pub(crate) fn check(
    app: &App,
    mut settings: PlatformSettings,
    metaflow: MetaflowSettings,
    server: &ServerSettings,
) -> (PlatformSettings, MetaflowSettings) {
    let review = Review { app, settings: &settings, metaflow: &metaflow, server };
    parts::check(&review);
    unused::check(&review);
    names::check(&review);
    sign_in::check(&review);
    if settings.has(Component::Proxy) || settings.has(Component::MlflowServer) {
        load_balancer::check(&review);
    }
    if settings.has(Component::Proxy) {
        proxy::check(&review);
    }
    server::check(&review);
    let metaflow = metaflow::check(&review, metaflow.clone());
    let defaults = PlatformSettings::default();
    if !forms::is_prefix(&settings.prefix) {
        settings.prefix = defaults.prefix;
    }
    settings.tags.retain(|key, value| forms::is_tag(key, value));
    settings.mlflow_name = settings.mlflow_name.filter(|name| forms::is_mlflow_name(name));
    settings.kms_key_arn = settings.kms_key_arn.filter(|arn| forms::key_region(arn).is_some());
    settings.log_retention_days =
        settings.log_retention_days.filter(|days| forms::RETENTION_DAYS.contains(days));
    settings.instance_type = settings.instance_type.filter(|name| forms::is_arm(name).is_some());
    settings.default_domain_ids.retain(|id| forms::is_domain_id(id));
    settings.access_log_bucket = settings.access_log_bucket.filter(|name| forms::is_bucket_name(name));
    settings.abort_uploads_days = settings.abort_uploads_days.max(1);
    settings.noncurrent_version_days = settings.noncurrent_version_days.max(1);
    settings.intelligent_tiering_days = settings.intelligent_tiering_days.filter(|days| *days >= 0);
    if !forms::is_object_prefix(&settings.s3_only_prefix) && !settings.s3_only_prefix.is_empty() {
        settings.s3_only_prefix = defaults.s3_only_prefix;
    }
    settings.s3_only_key_serial = settings.s3_only_key_serial.max(1);
    // These have to stay set: that one is missing would be the next complaint.
    let stand_in = |value: &mut Option<String>, is_right: fn(&str) -> bool, other: &str| {
        if value.as_deref().is_some_and(|value| !is_right(value)) {
            *value = Some(other.to_owned());
        }
    };
    stand_in(&mut settings.domain_id, forms::is_domain_id, "d-refused");
    stand_in(&mut settings.jwt_issuer, forms::is_issuer, "https://refused.invalid");
    stand_in(&mut settings.jwt_audience, forms::is_plain_line, "refused");
    stand_in(&mut settings.jwt_roles_claim, forms::is_plain_line, "refused");
    for url in [
        &mut settings.oidc_issuer,
        &mut settings.oidc_authorization_endpoint,
        &mut settings.oidc_token_endpoint,
        &mut settings.oidc_user_info_endpoint,
    ] {
        stand_in(url, forms::is_issuer, "https://refused.invalid");
    }
    stand_in(&mut settings.oidc_client_id, forms::is_plain_line, "refused");
    for groups in
        [&mut settings.jwt_admin_groups, &mut settings.jwt_writer_groups, &mut settings.jwt_reader_groups]
    {
        groups.retain(|group| forms::is_plain_line(group));
    }
    (settings, metaflow)
}

#[cfg(test)]
mod tests;

//! Whether the users can be read.

use crate::access::{Settings as AccessSettings, Sources, State, sources};
use crate::operate::Behind;
use crate::settings::Settings;

use super::Finding;

const SUBJECT: &str = "users";

/// The greatest document of an issuer that is read.
const GREATEST_DOCUMENT: usize = 256 << 10;

/// Fetches what the issuer of JSON Web Tokens publishes about itself, which its keys are found by.
pub(super) async fn issuer(settings: &Settings, behind: &Behind) -> Option<Finding> {
    const SUBJECT: &str = "issuer";
    let issuer = settings.access.jwt.as_ref()?.issuer.as_deref()?;
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let hint = "see that MLFLOW_PROXY_JWT_ISSUER is the issuer's own address and that the proxy reaches it";
    let uri = match address.parse() {
        Ok(uri) => uri,
        Err(error) => return Some(Finding::failed(SUBJECT, format!("{address}: {error}"), hint)),
    };
    let document = sources::documents(behind.client.clone())(uri, GREATEST_DOCUMENT).await;
    let named = document.and_then(|document| {
        let document: serde_json::Value =
            serde_json::from_slice(&document).map_err(|error| error.to_string())?;
        document["issuer"].as_str().map(str::to_owned).ok_or_else(|| "it names no issuer".to_owned())
    });
    Some(match named {
        Ok(named) if named == issuer => Finding::fine(SUBJECT, format!("{issuer} publishes its keys")),
        Ok(named) => Finding::failed(SUBJECT, format!("{address} is about `{named}`"), hint),
        Err(error) => Finding::failed(SUBJECT, format!("{address} cannot be used: {error}"), hint),
    })
}

/// Reads the users as the proxy does.
pub(super) async fn look(settings: &Settings, behind: &Behind) -> Finding {
    let access = &settings.access;
    if access.methods.is_none() {
        return Finding::skipped(SUBJECT, "nobody is asked who they are");
    }
    let sources = Sources::new(access, behind.calls.clone(), behind.client.clone());
    let Some(users) = sources.users else {
        let words = match access.methods.tokens {
            true => "no place to read them from is set",
            false => "they are not kept by the proxy",
        };
        return Finding::skipped(SUBJECT, words);
    };
    users.refresh().await;
    judge(access, &users.state())
}

fn judge(access: &AccessSettings, state: &State) -> Finding {
    let place = match (&access.secret_arn, &access.secret_file) {
        (Some(arn), _) => arn.clone(),
        (None, Some(file)) => file.display().to_string(),
        (None, None) => "their place".to_owned(),
    };
    if let Some(error) = &state.error {
        let hint = "the proxy's own role needs secretsmanager:GetSecretValue on the secret, and kms:Decrypt on its key";
        return Finding::failed(SUBJECT, format!("{place} cannot be read: {error}"), hint);
    }
    if !state.left_out.is_empty() {
        let words = format!("{} can be used, and not: {}", state.users, state.left_out.join("; "));
        return Finding::warning(SUBJECT, words, "make them anew by `formwork proxy user add`");
    }
    match state.users {
        0 => Finding::warning(
            SUBJECT,
            "there is none, so nobody gets in",
            "run `formwork proxy user add NAME --role writer`",
        ),
        1 => Finding::fine(SUBJECT, "1 token or password"),
        many => Finding::fine(SUBJECT, format!("{many} tokens and passwords")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::settings::Reader;

    fn verdict(state: &State) -> Verdict {
        let lookup = |name: &str| (name == "MLFLOW_PROXY_SECRET_FILE").then(|| "/etc/users.json".into());
        let mut reader = Reader::new(&lookup);
        let access = AccessSettings::read(&mut reader, ([127, 0, 0, 1], 5000).into());
        judge(&access, state).verdict
    }

    #[test]
    fn users_are_judged_by_what_was_read() {
        let read = State { loaded: true, users: 2, ..State::default() };
        assert_eq!(verdict(&read), Verdict::Fine);
        assert_eq!(verdict(&State { users: 0, ..read.clone() }), Verdict::Warning);
        let odd = State { left_out: vec!["user 3 has no kind".to_owned()], ..read.clone() };
        assert_eq!(verdict(&odd), Verdict::Warning);
        let error = State { error: Some("denied".to_owned()), ..read };
        assert_eq!(verdict(&error), Verdict::Failed);
    }
}

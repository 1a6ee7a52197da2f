//! `formwork proxy user list`: who may use a proxy, and when each last did.
//!
//! The users stand in a secret, their uses in the proxy's log. A log that cannot be read hides nobody: the list comes
//! without that column, and it is said why.

use formwork_engine::proxy_users::{LastUses, Role, User, Users};
use formwork_engine::{Class, Clock, EngineError};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{add, found};
use crate::arguments::{ListUsersArguments, ProgressOptions};
use crate::console::{Console, table};
use crate::deployment::Workplace;
use crate::failure::Failure;
use crate::report::to_text;
use crate::settings::Settings;

/// The output with the name of the proxy's log group.
const LOG_GROUP: &str = "LogGroupName";

/// What `formwork proxy user list --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "formwork proxy user list --json")]
pub(crate) struct ProxyUsersReport {
    /// The stack of the proxy.
    pub(crate) stack: String,
    /// The account's twelve digits.
    pub(crate) account: String,
    /// The region.
    pub(crate) region: String,
    /// The ARN of the secret with the hashes.
    pub(crate) secret: String,
    /// The users, in the order in which they were added; one that has several tokens stands here several times.
    pub(crate) users: Vec<ProxyUser>,
    /// Why it is not known when they were used last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_use_unknown: Option<String>,
}

/// A way in.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProxyUser {
    /// The name.
    pub(crate) name: String,
    /// What it may do, as far as the proxy lets anybody.
    pub(crate) role: Role,
    /// How it shows who it is: `token` or `password`.
    pub(crate) kind: &'static str,
    /// The id of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// When it was added.
    #[schemars(with = "String")]
    pub(crate) created: Timestamp,
    /// When it stops being let in; never without.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(crate) expires: Option<Timestamp>,
    /// Whether it is not let in any more.
    pub(crate) expired: bool,
    /// When it was used last, to a quarter of an hour, as far back as the proxy's log is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(crate) last_used: Option<Timestamp>,
}

pub(super) fn run(
    arguments: &ListUsersArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let workplace = Workplace::in_account(settings, &ProgressOptions::default(), console)?;
    let proxy = found::find(&arguments.proxy, settings, &workplace, console)?;
    let users = workplace.read(proxy.users().read())?;
    let clock = workplace.engine.clock;
    let now = clock.now();
    let (uses, unknown) =
        match workplace.read(async { Ok::<_, EngineError>(last_uses(&proxy, &users, clock).await) })? {
            Ok(uses) => (uses, None),
            Err(error) => (LastUses::default(), Some(error)),
        };
    if let Some(error) = &unknown {
        let hint = error.hint.as_deref().map_or(String::new(), |hint| format!("hint: {hint}\n"));
        console.talk(&format!("when users came last is not known: {}\n{hint}", error.message));
    }
    let report = ProxyUsersReport {
        account: proxy.session.account().to_owned(),
        region: proxy.session.region().to_owned(),
        stack: proxy.stack,
        secret: proxy.secret,
        users: users.users.into_iter().map(|user| reported(user, &uses, now)).collect(),
        last_use_unknown: unknown.map(|error| error.message),
    };
    if arguments.json {
        return console.data(&to_text(&report));
    }
    if report.users.is_empty() {
        console.talk(&format!(
            "nobody may use {} yet\nhint: `formwork proxy user add NAME --role writer` adds somebody\n",
            report.stack
        ));
        return Ok(());
    }
    console.data(&text(&report))
}

/// What the log of a proxy tells of its users. Nobody was let in before they were added.
async fn last_uses(proxy: &found::Proxy, users: &Users, clock: Clock) -> Result<LastUses, EngineError> {
    let Some(since) = users.users.iter().map(|user| user.created).min() else {
        return Ok(LastUses::default());
    };
    let group = proxy.output(LOG_GROUP).ok_or_else(|| {
        let message = format!("stack {} has no output {LOG_GROUP}", proxy.stack);
        EngineError::new(Class::Input, message).with_hint("`formwork deploy` brings the stack up to date")
    })?;
    LastUses::read(&proxy.session, clock, group, since).await
}

fn reported(user: User, uses: &LastUses, now: Timestamp) -> ProxyUser {
    ProxyUser {
        last_used: uses.of_user(&user),
        expired: user.is_expired(now),
        kind: user.credential.kind(),
        id: user.credential.id().map(str::to_owned),
        name: user.name,
        role: user.role,
        created: user.created,
        expires: user.expires,
    }
}

fn text(report: &ProxyUsersReport) -> String {
    let mut rows =
        vec![["name", "role", "kind", "id", "created", "expires", "last used"].map(str::to_owned).to_vec()];
    for user in &report.users {
        let end = user.expires.map_or_else(|| "never".to_owned(), add::day);
        rows.push(vec![
            user.name.clone(),
            user.role.as_str().to_owned(),
            user.kind.to_owned(),
            user.id.clone().unwrap_or_else(|| "-".to_owned()),
            add::day(user.created),
            if user.expired { format!("{end} (expired)") } else { end },
            match (user.last_used, &report.last_use_unknown) {
                (Some(used), _) => used.strftime("%Y-%m-%d %H:%M UTC").to_string(),
                (None, None) => "not in the log".to_owned(),
                (None, Some(_)) => "not known".to_owned(),
            },
        ]);
    }
    table(&rows)
}

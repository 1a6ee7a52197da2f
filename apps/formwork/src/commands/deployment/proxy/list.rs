//! `formwork proxy user list`: who may use a proxy.

use formwork_engine::proxy_users::{Role, User};
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
}

pub(super) fn run(
    arguments: &ListUsersArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let workplace = Workplace::in_account(settings, &ProgressOptions::default(), console)?;
    let proxy = found::find(&arguments.proxy, settings, &workplace, console)?;
    let users = workplace.read(proxy.users().read())?;
    let now = workplace.engine.clock.now();
    let report = ProxyUsersReport {
        account: proxy.session.account().to_owned(),
        region: proxy.session.region().to_owned(),
        stack: proxy.stack,
        secret: proxy.secret,
        users: users.users.into_iter().map(|user| reported(user, now)).collect(),
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

fn reported(user: User, now: Timestamp) -> ProxyUser {
    ProxyUser {
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
    let mut rows = vec![["name", "role", "kind", "id", "created", "expires"].map(str::to_owned).to_vec()];
    for user in &report.users {
        let end = user.expires.map_or_else(|| "never".to_owned(), add::day);
        rows.push(vec![
            user.name.clone(),
            user.role.as_str().to_owned(),
            user.kind.to_owned(),
            user.id.clone().unwrap_or_else(|| "-".to_owned()),
            add::day(user.created),
            if user.expired { format!("{end} (expired)") } else { end },
        ]);
    }
    table(&rows)
}

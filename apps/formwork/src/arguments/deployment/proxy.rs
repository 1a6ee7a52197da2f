//! The arguments of `formwork proxy`.

use clap::{Args, Subcommand, ValueEnum};
use formwork_engine::proxy_users::{Role, check_name};

use crate::arguments::ContextArguments;

/// `formwork proxy`.
#[derive(Debug, Args)]
pub(crate) struct ProxyArguments {
    #[command(subcommand)]
    pub(crate) command: ProxyCommand,
}

/// What is done about a deployed proxy.
#[derive(Debug, Subcommand)]
pub(crate) enum ProxyCommand {
    /// Says who may use a deployed proxy
    User(ProxyUserArguments),
}

/// `formwork proxy user`.
#[derive(Debug, Args)]
pub(crate) struct ProxyUserArguments {
    #[command(subcommand)]
    pub(crate) command: ProxyUserCommand,
}

/// What is done about the users of a deployed proxy.
#[derive(Debug, Subcommand)]
pub(crate) enum ProxyUserCommand {
    /// Adds a user, and prints the token once
    Add(AddUserArguments),
    /// Lists the users; tokens and passwords are kept nowhere, so that they cannot be shown
    #[command(visible_alias = "ls")]
    List(ListUsersArguments),
    /// Takes a user out: what it was given lets nobody in any more
    Revoke(RevokeUserArguments),
}

impl ProxyArguments {
    /// The context values that stand after the command.
    pub(crate) fn context(&self) -> &ContextArguments {
        let ProxyCommand::User(user) = &self.command;
        match &user.command {
            ProxyUserCommand::Add(add) => &add.proxy.context,
            ProxyUserCommand::List(list) => &list.proxy.context,
            ProxyUserCommand::Revoke(revoke) => &revoke.proxy.context,
        }
    }
}

/// Which proxy.
#[derive(Debug, Args)]
pub(crate) struct WhichProxy {
    /// The stack of the proxy, by its name, id or ARN [default: that of the app]
    #[arg(long, value_name = "STACK")]
    pub(crate) stack: Option<String>,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}

/// `formwork proxy user add`.
#[derive(Debug, Args)]
pub(crate) struct AddUserArguments {
    /// The name of the user, as the proxy's log will tell it
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) name: String,
    /// What the user may do
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: RoleWord,
    /// Until when: for so long (90d, 12h, 2w), up to a day (2027-01-31), or never [default: 90d for a token, never for a
    /// password]
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<String>,
    /// Gives the user a password in place of a token, for clients that send name and password; it is read from the
    /// terminal, or from standard input
    #[arg(long)]
    pub(crate) password: bool,
    /// Gives a user that has a token another one, so that both work until the old one is revoked
    #[arg(long, conflicts_with = "password")]
    pub(crate) another: bool,
    /// Takes away whatever a user of that name has, in the same step
    #[arg(long, conflicts_with = "another")]
    pub(crate) replace: bool,
    #[command(flatten)]
    pub(crate) proxy: WhichProxy,
}

/// `formwork proxy user list`.
#[derive(Debug, Args)]
pub(crate) struct ListUsersArguments {
    /// Prints a report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) proxy: WhichProxy,
}

/// `formwork proxy user revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeUserArguments {
    /// The name of the user
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Only the token of this id, which stands in the token and in the list
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) proxy: WhichProxy,
}

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleWord {
    /// Read and search everything
    Reader,
    /// Also create, log, change and restore
    Writer,
    /// Also delete
    Admin,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Reader => Self::Reader,
            RoleWord::Writer => Self::Writer,
            RoleWord::Admin => Self::Admin,
        }
    }
}

fn name(text: &str) -> Result<String, String> {
    check_name(text).map(|()| text.to_owned())
}

//! `formwork proxy`: what is to be done about a deployed proxy from a laptop.

mod add;
mod expiry;
mod found;
mod list;
mod revoke;

#[cfg(test)]
pub(crate) use list::ProxyUsersReport;

use crate::arguments::{ProxyArguments, ProxyCommand, ProxyUserCommand};
use crate::console::Console;
use crate::failure::Failure;
use crate::settings::Settings;

pub(crate) fn run(arguments: &ProxyArguments, settings: &Settings, console: &Console) -> Result<(), Failure> {
    let ProxyCommand::User(user) = &arguments.command;
    match &user.command {
        ProxyUserCommand::Add(add) => add::run(add, settings, console),
        ProxyUserCommand::List(list) => list::run(list, settings, console),
        ProxyUserCommand::Revoke(revoke) => revoke::run(revoke, settings, console),
    }
}

/// How soon a proxy reads its secret again, unless it is told otherwise.
const NOTICED: &str = "the proxy takes notice within half a minute";

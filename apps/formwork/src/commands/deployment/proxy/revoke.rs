//! `formwork proxy user revoke`: what somebody was given lets nobody in any more.

use formwork_engine::proxy_users::Users;
use formwork_engine::{Class, EngineError};

use super::found;
use crate::arguments::{ProgressOptions, RevokeUserArguments};
use crate::console::{Console, count};
use crate::deployment::Workplace;
use crate::failure::{Failure, exit};
use crate::settings::Settings;

pub(super) fn run(
    arguments: &RevokeUserArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let workplace = Workplace::in_account(settings, &ProgressOptions::default(), console)?;
    let proxy = found::find(&arguments.proxy, settings, &workplace, console)?;
    let now = workplace.engine.clock.now();
    // Asked first, so that a name that is not there leaves no run behind.
    take_out(arguments, &mut workplace.read(proxy.users().read())?)?;
    let journal = workplace.journal()?;
    let change = |users: &mut Users| {
        let gone = take_out(arguments, users)?;
        Ok((gone, users.valid(now)))
    };
    let revoked: Result<_, Failure> =
        workplace.run(proxy.users().change(&journal, change)).map_err(Failure::from);
    journal.ended(revoked.as_ref().map_or_else(Failure::exit_code, |_| exit::OK));
    let (gone, left) = revoked?;
    let what = match &arguments.id {
        Some(id) => format!("token {id} of {}", arguments.name),
        None => format!("{} of {}", count(gone, "way in"), arguments.name),
    };
    console.talk(&format!("{what} revoked on {}; {}\n", proxy.stack, super::NOTICED));
    if left == 0 {
        console.talk(
            "warning: nobody is left who may use the proxy\nhint: `formwork proxy user add NAME --role writer` adds \
             somebody\n",
        );
    }
    Ok(())
}

/// Takes the user out, and says how many ways in went.
fn take_out(arguments: &RevokeUserArguments, users: &mut Users) -> Result<usize, EngineError> {
    let (name, id) = (&arguments.name, arguments.id.as_deref());
    let before = users.users.len();
    users.users.retain(|user| user.name != *name || id.is_some_and(|id| user.credential.id() != Some(id)));
    match before - users.users.len() {
        0 => {
            let message = match id {
                Some(id) => format!("{name} has no token of the id {id}"),
                None => format!("there is no user {name}"),
            };
            Err(EngineError::new(Class::Input, message)
                .with_hint("`formwork proxy user list` shows names and ids"))
        }
        gone => Ok(gone),
    }
}

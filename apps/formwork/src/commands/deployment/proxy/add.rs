//! `formwork proxy user add`: a name, a role, and a token that is shown once.

use formwork_engine::proxy_users::{Credential, NewToken, Role, User, Users, hash_password, new_token};
use formwork_engine::{Class, EngineError};
use jiff::Timestamp;

use super::expiry::{self, DEFAULT_OF_TOKENS};
use super::found::{self, Proxy};
use crate::arguments::{AddUserArguments, ProgressOptions};
use crate::console::Console;
use crate::deployment::Workplace;
use crate::failure::{Failure, exit};
use crate::settings::Settings;

pub(super) fn run(
    arguments: &AddUserArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let workplace = Workplace::in_account(settings, &ProgressOptions::default(), console)?;
    let now = workplace.engine.clock.now();
    let expires = match &arguments.expires {
        Some(text) => expiry::end(text, now)?,
        None if arguments.password => None,
        None => expiry::end(DEFAULT_OF_TOKENS, now)?,
    };
    let proxy = found::find(&arguments.proxy, settings, &workplace, console)?;
    note_settings(arguments, &proxy, console);
    // What can be refused is refused before anybody is asked for a password.
    let before = workplace.read(proxy.users().read())?;
    check(arguments, &before)?;
    let (token, credential) = if arguments.password {
        (None, hash_password(&workplace.password(&arguments.name)?)?)
    } else {
        let NewToken { token, credential } = new_token()?;
        (Some(token), credential)
    };
    let user = User {
        name: arguments.name.clone(),
        role: arguments.role.into(),
        credential,
        created: expiry::in_seconds(now),
        expires,
    };
    let journal = workplace.journal()?;
    let change = |users: &mut Users| {
        check(arguments, users)?;
        if arguments.replace {
            users.users.retain(|it| it.name != arguments.name);
        }
        users.users.push(user.clone());
        Ok(())
    };
    let added: Result<(), Failure> =
        workplace.run(proxy.users().change(&journal, change)).map_err(Failure::from);
    journal.ended(added.as_ref().map_or_else(Failure::exit_code, |()| exit::OK));
    added?;
    if let Some(token) = &token {
        console.data(&format!("{token}\n"))?;
    }
    tell(&user, &proxy, console);
    Ok(())
}

/// Whether a user can be added as asked for.
fn check(arguments: &AddUserArguments, users: &Users) -> Result<(), EngineError> {
    let name = &arguments.name;
    let mut same = users.of(name).peekable();
    let Some(first) = same.peek() else {
        let hint = format!("leave --another out: {name} gets its first one");
        return if arguments.another {
            Err(EngineError::new(Class::Input, format!("there is no user {name} yet")).with_hint(hint))
        } else {
            Ok(())
        };
    };
    if arguments.replace {
        return Ok(());
    }
    let (role, kind) = (first.role, first.credential.kind());
    if !arguments.another {
        let message = format!("there is a user {name} already: {}, with a {kind}", role.as_str());
        return Err(EngineError::new(Class::Refused, message).with_hint(
            "--another gives a second token that works beside the first, --replace takes the old one away at once",
        ));
    }
    let wanted = Role::from(arguments.role);
    if role != wanted {
        let message = format!("{name} is {}, and cannot be {} as well", role.as_str(), wanted.as_str());
        return Err(EngineError::new(Class::Refused, message)
            .with_hint("--replace in place of --another changes the role, and takes the old token away"));
    }
    if same.any(|user| matches!(user.credential, Credential::Password { .. })) {
        let message = format!("{name} has a password, not a token");
        return Err(EngineError::new(Class::Refused, message)
            .with_hint("--replace in place of --another gives a token and takes the password away"));
    }
    Ok(())
}

/// What the deployed proxy makes of such a user, where that may surprise.
fn note_settings(arguments: &AddUserArguments, proxy: &Proxy, console: &Console) {
    let stack = &proxy.stack;
    match (proxy.output("Authentication"), arguments.password) {
        (Some("token"), true) => console.talk(&format!(
            "warning: {stack} was deployed with proxyAuth=token, which takes no passwords; proxyAuth=basic does\n"
        )),
        (Some("basic"), false) => console.talk(&format!(
            "note: {stack} was deployed with proxyAuth=basic; the token is sent as the password of {}\n",
            arguments.name
        )),
        _ => {}
    }
    if let Some(most) = proxy.access()
        && most < Role::from(arguments.role)
    {
        console.talk(&format!(
            "warning: {stack} was deployed with proxyAccess={most}, so that nobody is more than a {most} there\n",
            most = most.as_str()
        ));
    }
}

/// Says what to do with it.
fn tell(user: &User, proxy: &Proxy, console: &Console) {
    let (name, role, stack) = (&user.name, user.role.as_str(), &proxy.stack);
    let until = user.expires.map_or_else(|| "with no end".to_owned(), |end| format!("until {end}"));
    console.talk(&format!("{name} is a {role} of {stack}, {until}; {}\n", super::NOTICED));
    let url = proxy.output("Url").unwrap_or("<the URL of the proxy>");
    let (shown, secret) = match &user.credential {
        Credential::Token { .. } => {
            ("the token above is shown this once; ", "export MLFLOW_TRACKING_TOKEN=<the token>".to_owned())
        }
        Credential::Password { .. } => {
            ("", format!("export MLFLOW_TRACKING_USERNAME={name} MLFLOW_TRACKING_PASSWORD=<the password>"))
        }
    };
    console.talk(&format!("{shown}where MLflow's client runs, set it and check it with\n"));
    let uri = format!("export MLFLOW_TRACKING_URI={url}");
    console.commands(&[uri, secret, "mlflow experiments search".to_owned()]);
    if let Some(command) = proxy.output("PortForwardCommand") {
        console.talk(
            "from outside of its network, leave this running and take http://localhost:5000 as MLFLOW_TRACKING_URI\n",
        );
        console.commands(&[command.to_owned()]);
    }
}

/// A day for people; the document has the whole time.
pub(super) fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

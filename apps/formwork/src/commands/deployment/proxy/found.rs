//! The deployed proxy that is meant, found by the outputs of its stack.

use std::collections::BTreeMap;

use formwork_engine::aws::Session;
use formwork_engine::aws::cloudformation::Output;
use formwork_engine::proxy_users::{Role, UserStore};
use formwork_engine::{Class, EngineError};

use crate::arguments::WhichProxy;
use crate::console::Console;
use crate::deployment::modes::deployed_in_other_mode;
use crate::deployment::named::named;
use crate::deployment::{Workplace, located, none_deployed};
use crate::failure::Failure;
use crate::settings::Settings;

/// The output with the secret's ARN; only a proxy with users of its own has it.
const SECRET: &str = "SecretArn";

/// A deployed proxy with users of its own.
pub(super) struct Proxy {
    pub(super) stack: String,
    pub(super) secret: String,
    pub(super) session: Session,
    outputs: BTreeMap<String, Output>,
}

impl Proxy {
    pub(super) fn users(&self) -> UserStore {
        UserStore::new(self.session.clone(), &self.secret)
    }

    /// An output of the stack by its name.
    pub(super) fn output(&self, name: &str) -> Option<&str> {
        self.outputs.get(name).map(|output| output.value.as_str())
    }

    /// What nobody may do more than, whatever the role.
    pub(super) fn access(&self) -> Option<Role> {
        let word = self.output("Access")?;
        [Role::Reader, Role::Writer, Role::Admin].into_iter().find(|role| role.as_str() == word)
    }
}

/// Finds the proxy: of the stack that is named, else of the app, in the context's mode before the other.
///
/// # Errors
/// When there is none, there are several, or the account cannot be reached.
pub(super) fn find(
    which: &WhichProxy,
    settings: &Settings,
    workplace: &Workplace,
    console: &Console,
) -> Result<Proxy, Failure> {
    if let Some(word) = &which.stack {
        let named = named(word, settings, workplace)?;
        return match look(&named.name, &named.session, workplace)? {
            Look::Proxy(proxy) => Ok(*proxy),
            Look::Other => Err(without_users(&format!("stack {} has no", named.name))),
            Look::Absent => Err(none_deployed(&[&named.name])),
        };
    }
    let own = located(&[], settings, workplace, console)?;
    let mut is_deployed = false;
    let mut found = Vec::new();
    for stack in &own {
        match look(&stack.name, &stack.session, workplace)? {
            Look::Proxy(proxy) => found.push(*proxy),
            Look::Other => is_deployed = true,
            Look::Absent => {}
        }
    }
    if found.is_empty() {
        for stack in deployed_in_other_mode(&own, settings, workplace)? {
            if let Look::Proxy(proxy) = look(&stack.name, &stack.session, workplace)? {
                found.push(*proxy);
            }
        }
    }
    match found.len() {
        0 if is_deployed => Err(without_users("no deployed stack of the app has a")),
        0 => {
            let names: Vec<&str> = own.iter().map(|stack| stack.name.as_str()).collect();
            Err(none_deployed(&names))
        }
        1 => Ok(found.remove(0)),
        _ => {
            let names: Vec<&str> = found.iter().map(|proxy| proxy.stack.as_str()).collect();
            let message = format!("several proxies are deployed: {}", names.join(", "));
            Err(EngineError::new(Class::Usage, message).with_hint("say which one with --stack").into())
        }
    }
}

enum Look {
    Proxy(Box<Proxy>),
    /// A stack, but none of a proxy with users.
    Other,
    Absent,
}

fn look(name: &str, session: &Session, workplace: &Workplace) -> Result<Look, Failure> {
    let Some(stack) = workplace.read(session.cloudformation().stack(name))? else { return Ok(Look::Absent) };
    let Some(secret) = stack.outputs.get(SECRET) else { return Ok(Look::Other) };
    let proxy = Proxy {
        stack: stack.name,
        secret: secret.value.clone(),
        session: session.clone(),
        outputs: stack.outputs,
    };
    Ok(Look::Proxy(Box::new(proxy)))
}

fn without_users(who: &str) -> Failure {
    let message = format!("{who} proxy with users of its own: there is no output {SECRET}");
    EngineError::new(Class::Input, message)
        .with_hint(
            "`formwork deploy` deploys one with proxyAuth=token or proxyAuth=basic; with proxyAuth=jwt the issuer's \
             groups say who gets in",
        )
        .into()
}

//! What is deployed: whether the stacks, and what runs in them, are as they should be.
//!
//! Each check is one line of what is known to go wrong with such a platform, with the command that looks further or mends
//! it. Checks are found by the types of the deployed resources, so that both modes are looked at when both are deployed.
//! Only reads: nothing is sent to an instance, and no secret's value is asked for.

mod bucket;
mod domain;
mod instances;
mod log;
mod mlflow;
mod network;
mod proxy;
mod rights;
mod stacks;
mod template;

use futures_util::future::{BoxFuture, join_all};

use super::Check;
use crate::aws::{Error, ErrorKind};
use crate::components::{Found, survey};
use crate::plan::Located;

/// The checks of everything that is deployed, stack by stack in the order of the stacks.
pub async fn deployed(located: &[Located]) -> Vec<Check> {
    let survey = &survey(located).await;
    let mut asked: Vec<BoxFuture<'_, Vec<Check>>> = Vec::new();
    for found in &survey.stacks {
        asked.push(Box::pin(async { stacks::checks(found) }));
        if found.deployed().is_none() {
            continue;
        }
        asked.push(Box::pin(network::checks(found)));
        asked.push(Box::pin(domain::checks(found)));
        asked.push(Box::pin(mlflow::checks(found)));
        asked.push(Box::pin(proxy::checks(found)));
        asked.push(Box::pin(instances::checks(found)));
        asked.push(Box::pin(rights::checks(survey, found)));
        asked.push(Box::pin(bucket::checks(found)));
    }
    join_all(asked).await.into_iter().flatten().collect()
}

/// Something that could not be read: it is gone, or it cannot be told.
fn unread(name: &str, subject: &str, found: &Found, error: &Error) -> Check {
    if error.kind != ErrorKind::NotFound {
        return Check::unknown(name, subject, error);
    }
    let detail = format!("stack {} made it, and it is gone", found.located.name);
    Check::failed(name, subject, detail)
        .with_hint(format!("`formwork drift {}` shows what else is missing", found.located.name))
}

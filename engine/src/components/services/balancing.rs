//! Elastic Load Balancing on load balancers and what stands behind them.

use super::{given, text};
use crate::aws::xml::Element;
use crate::aws::{Error, Session};

const VERSION: &str = "2015-12-01";

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Balancer {
    /// Its name in DNS.
    pub(crate) dns_name: String,
    /// `internal` or `internet-facing`.
    pub(crate) scheme: String,
    /// The service's word.
    pub(crate) state: String,
    /// Why, if the service says so.
    pub(crate) reason: Option<String>,
}

/// A target and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// An instance's id, or an address.
    pub(crate) id: String,
    /// The port.
    pub(crate) port: String,
    /// The service's word.
    pub(crate) state: String,
    /// The code of the reason, such as `Target.Timeout`.
    pub(crate) reason: Option<String>,
    /// The service's sentence.
    pub(crate) description: Option<String>,
}

/// A load balancer, by its ARN.
pub(crate) async fn balancer(session: &Session, arn: &str) -> Result<Balancer, Error> {
    const ACTION: &str = "DescribeLoadBalancers";
    let asked = [("LoadBalancerArns.member.1".to_owned(), arn.to_owned())];
    let found = items(session, ACTION, "LoadBalancers", &asked).await?;
    let Some(found) = found.first() else { return Err(nothing(ACTION)) };
    let state = found.child("State");
    Ok(Balancer {
        dns_name: text(found, "DNSName"),
        scheme: text(found, "Scheme"),
        state: state.map(|state| text(state, "Code")).unwrap_or_default(),
        reason: state.and_then(|state| given(state, "Reason")),
    })
}

/// Where the listeners of a load balancer listen: protocol and port.
pub(crate) async fn listeners(session: &Session, arn: &str) -> Result<Vec<(String, String)>, Error> {
    let asked = [("LoadBalancerArn".to_owned(), arn.to_owned())];
    let found = items(session, "DescribeListeners", "Listeners", &asked).await?;
    Ok(found.iter().map(|listener| (text(listener, "Protocol"), text(listener, "Port"))).collect())
}

/// The path that a target group asks its targets for.
pub(crate) async fn health_check_path(session: &Session, arn: &str) -> Result<Option<String>, Error> {
    let asked = [("TargetGroupArns.member.1".to_owned(), arn.to_owned())];
    let found = items(session, "DescribeTargetGroups", "TargetGroups", &asked).await?;
    Ok(found.first().and_then(|group| given(group, "HealthCheckPath")))
}

/// The targets of a group. The API has no pages here.
pub(crate) async fn targets(session: &Session, arn: &str) -> Result<Vec<Target>, Error> {
    let asked = [("TargetGroupArn".to_owned(), arn.to_owned())];
    let found = items(session, "DescribeTargetHealth", "TargetHealthDescriptions", &asked).await?;
    let one = |item: &Element| {
        let (target, health) = (item.child("Target"), item.child("TargetHealth"));
        Target {
            id: target.map(|target| text(target, "Id")).unwrap_or_default(),
            port: target.map(|target| text(target, "Port")).unwrap_or_default(),
            state: health.map(|health| text(health, "State")).unwrap_or_default(),
            reason: health.and_then(|health| given(health, "Reason")),
            description: health.and_then(|health| given(health, "Description")),
        }
    };
    Ok(found.iter().map(one).collect())
}

/// The members of a list, all pages.
async fn items(
    session: &Session,
    action: &'static str,
    list: &str,
    asked: &[(String, String)],
) -> Result<Vec<Element>, Error> {
    let mut items = Vec::new();
    let mut page: Option<String> = None;
    loop {
        let mut asked = asked.to_vec();
        asked.extend(page.clone().map(|marker| ("Marker".to_owned(), marker)));
        let answer = session.call().query("elasticloadbalancing", action, VERSION, &asked).await?;
        let result = answer.find(&format!("{action}Result")).unwrap_or(&answer);
        items.extend(result.members(list).cloned());
        let next = given(result, "NextMarker");
        if next.is_none() || next == page {
            return Ok(items);
        }
        page = next;
    }
}

fn nothing(action: &'static str) -> Error {
    Error::new(action, crate::aws::ErrorKind::Protocol, "the answer has nothing in it")
}

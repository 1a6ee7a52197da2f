//! What the region offers of what a plan wants to make: endpoint services and availability zones.
//!
//! Neither is in a template's type facts, and CloudFormation finds out in the middle of a deployment. So the region is asked
//! before the first write, once for each environment, and only for resources that are still to be made. An answer that
//! cannot be had, or that lacks what every region has, stops nobody: it is a note.

use std::collections::{BTreeMap, BTreeSet};

use formwork_assembly::CloudAssembly;
use futures_util::future::join_all;
use serde_json::Value;

use super::environment::Target;
use super::input::{Input, entries};
use super::limits;
use super::make::gather;
use super::model::{Environment, Operation};
use super::names::Scope;
use super::settle::Standing;
use crate::aws::xml::Element;
use crate::aws::{Error, ErrorKind, Patience, Session};
use crate::error::{Class, EngineError};
use crate::event::What;
use crate::follow::Places;
use crate::runtime::Runtime;

const VERSION: &str = "2016-11-15";
/// How many values a filter takes. Source: Amazon EC2 API Reference, "Filter".
const FILTER_VALUES: usize = 200;

/// Something that a resource wants of its region.
struct Wish<'a> {
    input: &'a Input,
    logical_id: &'a str,
    what: Wanted,
    /// Whether a condition decides if it is wanted at all.
    conditional: bool,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    /// An endpoint service by name.
    Service(String),
    /// The zone of this place in the region's list, from zero.
    Zone(usize),
    /// A zone by name.
    NamedZone(String),
}

/// What a region has; nothing where the answer cannot be had.
#[derive(Default)]
struct Offer {
    services: Option<BTreeSet<String>>,
    zones: Option<BTreeSet<String>>,
}

/// Checks that the regions have the endpoint services and zones that new resources want.
///
/// # Errors
/// When one is missing, with the construct that wants it.
pub(crate) async fn check(
    inputs: &[&Input],
    assembly: &CloudAssembly,
    targets: &BTreeMap<String, Target>,
    standings: &BTreeMap<String, Standing>,
    runtime: &Runtime,
) -> Result<(), EngineError> {
    let mut places: BTreeMap<&Environment, (&Target, Vec<Wish<'_>>)> = BTreeMap::new();
    for input in inputs {
        let id = &input.artifact.id;
        let (Some(target), Some(standing)) = (targets.get(id), standings.get(id)) else { continue };
        let wishes = wishes(input, target, standing);
        if !wishes.is_empty() {
            let entry = places.entry(&target.environment).or_insert_with(|| (target, Vec::new()));
            entry.1.extend(wishes);
        }
    }
    let asked = join_all(places.into_values().map(|(target, wishes)| async move {
        let offer = offer(&target.session, &wishes, runtime).await;
        let mut problems = Vec::new();
        for wish in wishes {
            let Some(missing) = missing(&wish, &offer, &target.environment.region) else { continue };
            let places = Places::of(assembly, &wish.input.artifact);
            let path = places.get(wish.logical_id).and_then(|place| place.construct_path.clone());
            let who = path.unwrap_or_else(|| format!("{}/{}", wish.input.artifact.id, wish.logical_id));
            if wish.conditional {
                let message = format!("{who}: {missing}, if its condition wants it");
                runtime.tell(What::Warning { message, hint: None });
            } else {
                problems.push(format!("{who}: {missing}"));
            }
        }
        let hint = "leave it out of the app, or deploy to another region with --region; nothing was uploaded or changed";
        limits::refuse(&problems, "problems")
            .map_err(|error| EngineError { class: Class::Refused, ..error }.with_hint(hint))
    }))
    .await;
    gather::<(), Vec<()>>(asked).map(|_| ())
}

/// What the new resources of a stack want of their region.
fn wishes<'a>(input: &'a Input, target: &Target, standing: &Standing) -> Vec<Wish<'a>> {
    if standing.operation == Operation::Nothing {
        return Vec::new();
    }
    let deployed = standing.deployed.as_ref().filter(|_| standing.operation == Operation::Update);
    let old = deployed.and_then(|deployed| deployed.template.as_ref());
    let there: BTreeSet<&str> =
        old.into_iter().flat_map(|old| entries(old, "Resources")).map(|(id, _)| id).collect();
    let scope = Scope::new(input.name(), &target.environment, &input.artifact.properties.parameters);
    let mut wishes = Vec::new();
    for (logical_id, resource) in input.section("Resources").filter(|(id, _)| !there.contains(id)) {
        let mut wanted = Vec::new();
        let properties = &resource["Properties"];
        let region = &target.environment.region;
        let conditional = resource.get("Condition").is_some();
        if resource["Type"] == "AWS::EC2::VPCEndpoint" && is_served_here(properties, region, &scope) {
            let service = scope.text(&properties["ServiceName"]).filter(|name| is_of_aws(name));
            wanted.extend(service.map(|name| (Wanted::Service(name), conditional)));
        }
        if let Some(name) = scope.text(&properties["AvailabilityZone"]) {
            wanted.push((Wanted::NamedZone(name), conditional));
        }
        zones_selected(properties, region, &scope, conditional, &mut wanted);
        wishes.extend(wanted.into_iter().map(|(what, conditional)| Wish {
            input,
            logical_id,
            what,
            conditional,
        }));
    }
    wishes
}

/// Whether a service is one of AWS; those of others, `com.amazonaws.vpce.REGION.vpce-svc-ID`, are not listed to everybody.
fn is_of_aws(name: &str) -> bool {
    !name.starts_with("com.amazonaws.vpce.")
}

/// Whether an endpoint's service is in its own region; another region is asked nothing.
fn is_served_here(properties: &Value, region: &str, scope: &Scope) -> bool {
    properties.get("ServiceRegion").is_none_or(|of| scope.text(of).is_some_and(|of| of == region))
}

/// The places in the region's list of zones that a value selects, `Fn::Select [n, Fn::GetAZs]`, and whether a condition
/// decides about it: which branch of an `Fn::If` counts, only CloudFormation knows.
fn zones_selected(
    value: &Value,
    region: &str,
    scope: &Scope,
    conditional: bool,
    found: &mut Vec<(Wanted, bool)>,
) {
    match value {
        Value::Object(object) => {
            if let (1, Some(Value::Array(arguments))) = (object.len(), object.get("Fn::Select"))
                && let [index, list] = &arguments[..]
                && let Some(of) = list.get("Fn::GetAZs")
            {
                // An empty text stands for the stack's own region.
                let here = scope.text(of).is_some_and(|of| of.is_empty() || of == region);
                let index = scope.text(index).and_then(|index| index.parse().ok());
                found.extend(index.filter(|_| here).map(|index| (Wanted::Zone(index), conditional)));
            }
            for (name, inner) in object {
                zones_selected(inner, region, scope, conditional || name == "Fn::If", found);
            }
        }
        Value::Array(items) => {
            items.iter().for_each(|inner| zones_selected(inner, region, scope, conditional, found));
        }
        _ => {}
    }
}

/// Asks a region for what is wanted of it, in at most one call a question.
async fn offer(session: &Session, wishes: &[Wish<'_>], runtime: &Runtime) -> Offer {
    let mut names = BTreeSet::new();
    for wish in wishes {
        if let Wanted::Service(name) = &wish.what {
            names.insert(name.clone());
        }
    }
    let mut offer = Offer::default();
    let region = session.region();
    let cannot_tell = |what: &str, why: &str| {
        let message = format!("cannot tell whether {region} has the {what} that the plan wants: {why}");
        runtime.tell(What::Note { message });
    };
    if !names.is_empty() {
        match services(session, &names).await {
            Ok(Some(found)) => offer.services = Some(found),
            Ok(None) => cannot_tell("endpoint services", "the answer lacks those that every region has"),
            Err(error) => cannot_tell("endpoint services", &why(&error)),
        }
    }
    if wishes.iter().any(|wish| matches!(wish.what, Wanted::Zone(_) | Wanted::NamedZone(_))) {
        match zones(session).await {
            Ok(found) if found.is_empty() => cannot_tell("availability zones", "the answer names none"),
            Ok(found) => offer.zones = Some(found),
            Err(error) => cannot_tell("availability zones", &why(&error)),
        }
    }
    offer
}

fn why(error: &Error) -> String {
    match error.kind {
        ErrorKind::Denied => format!("{} is denied", error.operation),
        _ => format!("{}: {}", error.operation, error.message),
    }
}

/// Those of the services that the region has. S3 is asked for as well: an answer without it is none.
async fn services(session: &Session, names: &BTreeSet<String>) -> Result<Option<BTreeSet<String>>, Error> {
    let control = format!("com.amazonaws.{}.s3", session.region());
    let asked: BTreeSet<&String> = names.iter().chain([&control]).collect();
    // A filter takes only so many values; without one, all services come, a page at a time.
    let values = asked.iter().enumerate().filter(|_| asked.len() <= FILTER_VALUES);
    let mut filter: Vec<(String, String)> =
        values.map(|(index, name)| (format!("Filter.1.Value.{}", index + 1), (*name).clone())).collect();
    if !filter.is_empty() {
        filter.push(("Filter.1.Name".to_owned(), "service-name".to_owned()));
    }
    let mut found = BTreeSet::new();
    let mut page: Option<String> = None;
    loop {
        let mut parameters = filter.clone();
        parameters.extend(page.take().map(|page| ("NextToken".to_owned(), page)));
        let answer = ask(session, "DescribeVpcEndpointServices", &parameters).await?;
        found.extend(answer.members("serviceNameSet").map(|name| name.text.trim().to_owned()));
        match answer.text_of("nextToken").filter(|token| !token.is_empty()) {
            Some(token) => page = Some(token.to_owned()),
            None => return Ok(found.contains(&control).then_some(found)),
        }
    }
}

/// The region's zones that can be used, by name. Local and wavelength zones are none of `Fn::GetAZs`, but a subnet may
/// name one.
async fn zones(session: &Session) -> Result<BTreeSet<String>, Error> {
    let answer = ask(session, "DescribeAvailabilityZones", &[]).await?;
    let usable = |zone: &&Element| {
        matches!(zone.text_of("zoneState"), None | Some("available" | "information" | "impaired"))
    };
    let zones = answer.members("availabilityZoneInfo").filter(usable);
    Ok(zones.filter_map(|zone| zone.text_of("zoneName").map(str::to_owned)).collect())
}

async fn ask(
    session: &Session,
    action: &'static str,
    parameters: &[(String, String)],
) -> Result<Element, Error> {
    session.call().with_patience(Patience::SHORT).query("ec2", action, VERSION, parameters).await
}

/// What a region lacks of what is wanted, in words.
fn missing(wish: &Wish<'_>, offer: &Offer, region: &str) -> Option<String> {
    let list = |zones: &BTreeSet<String>| zones.iter().cloned().collect::<Vec<_>>().join(", ");
    match &wish.what {
        Wanted::Service(name) => {
            let services = offer.services.as_ref()?;
            (!services.contains(name)).then(|| format!("{region} has no endpoint service {name}"))
        }
        Wanted::Zone(index) => {
            let zones = offer.zones.as_ref()?;
            let own = zones.iter().filter(|zone| is_of_region(zone, region)).count();
            (*index >= own).then(|| {
                format!(
                    "zone {} of {region} is wanted, and the account has {own}: {}",
                    index + 1,
                    list(zones)
                )
            })
        }
        Wanted::NamedZone(name) => {
            let zones = offer.zones.as_ref()?;
            let local = !is_of_region(name, region);
            // Local zones are listed only where the account has opted in, and then by another call.
            (!local && !zones.contains(name))
                .then(|| format!("{region} has no zone {name} for this account: {}", list(zones)))
        }
    }
}

/// Whether a zone is one of the region's own, `eu-west-1a`, and no local one, `us-west-2-lax-1a`.
fn is_of_region(zone: &str, region: &str) -> bool {
    zone.strip_prefix(region).is_some_and(|rest| rest.len() == 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_selections_of_the_own_zones_count() {
        let environment = Environment { account: "1".to_owned(), region: "eu-west-1".to_owned() };
        let scope = Scope::new("app", &environment, &BTreeMap::new());
        let mut found = Vec::new();
        let select = |index: Value, of: Value| json!({ "Fn::Select": [index, { "Fn::GetAZs": of }] });
        for value in [
            select(json!(2), json!("")),
            json!({ "Tags": [{ "Value": select(json!("1"), json!({ "Ref": "AWS::Region" })) }] }),
            select(json!(7), json!("us-east-1")),
            json!({ "Fn::Select": [9, { "Ref": "Subnets" }] }),
            json!({ "Fn::If": ["Wide", select(json!(5), json!("")), { "Ref": "AWS::NoValue" }] }),
        ] {
            zones_selected(&value, "eu-west-1", &scope, false, &mut found);
        }
        let certain = |index| (Wanted::Zone(index), false);
        assert_eq!(found, [certain(2), certain(1), (Wanted::Zone(5), true)]);
        assert!(is_of_region("eu-west-1a", "eu-west-1") && !is_of_region("us-west-2-lax-1a", "us-west-2"));
    }
}

//! Whether the calls that something makes have a way: an endpoint in the VPC, or NAT.
//!
//! A call without a way is found by AWS only after the deployment, as a timeout. Here it is a mistake at synth.

use std::collections::BTreeSet;

use formwork::{Diagnostic, Scope, SecurityGroupId, Severity, Value};

use super::services::in_words;
use super::{AwsService, Egress, EndpointPreset, HTTPS, Networking, allow_between};

impl Networking {
    /// Reports an error when something in the private subnets calls a service that it cannot reach. `caller` names it in
    /// the message, such as `the proxy`.
    ///
    /// Of an existing network it is not known what it reaches: then there is a note that says what has to.
    pub fn require_reach(&self, scope: Scope<'_>, caller: &str, services: &[AwsService]) {
        let missing: BTreeSet<AwsService> =
            services.iter().copied().filter(|service| !self.reaches(*service)).collect();
        let missing: Vec<AwsService> = missing.into_iter().collect();
        if missing.is_empty() || self.egress == Egress::Nat {
            return;
        }
        let names = in_words(&missing);
        if self.egress == Egress::Unknown {
            note_unknown(scope, caller, &names, ", or the VPC an endpoint of each");
            return;
        }
        let message =
            format!("{caller} cannot reach {names}: the network has no NAT gateway and no endpoint for that");
        scope.report(Diagnostic::error("unreachable-service", message).with_hint(way_out(scope, &missing)));
    }

    /// The same for services of a region that may be another than the stack's, such as that of an MLflow that exists
    /// already. The endpoints of a VPC lead to services of its own region: to another one there is only the way out.
    /// Where the stack's region is not known, it is taken to be the same.
    pub fn require_reach_in(&self, scope: Scope<'_>, caller: &str, services: &[AwsService], region: &str) {
        if scope.environment().region.is_none_or(|own| own == region) {
            return self.require_reach(scope, caller, services);
        }
        let services: BTreeSet<AwsService> = services.iter().copied().collect();
        if services.is_empty() {
            return;
        }
        let names = format!("{} in {region}", in_words(&services.into_iter().collect::<Vec<_>>()));
        match self.egress {
            Egress::Nat => {}
            Egress::Unknown => note_unknown(scope, caller, &names, ""),
            Egress::None => {
                let message = format!(
                    "{caller} cannot reach {names}: the network has no NAT gateway, and endpoints lead to no other \
                     region"
                );
                let hint = "set natGateways to 1 or more, or use what is in the network's own region";
                scope.report(Diagnostic::error("unreachable-service", message).with_hint(hint));
            }
        }
    }

    /// Reports an error when something in the private subnets calls something on the internet, and nothing leads there.
    pub fn require_internet(&self, scope: Scope<'_>, caller: &str, what: &str) {
        match self.egress {
            Egress::Nat => {}
            Egress::Unknown => note_unknown(scope, caller, what, ""),
            Egress::None => {
                let message = format!("{caller} cannot reach {what}: the network has no NAT gateway");
                let hint = "set natGateways to 1 or more";
                scope.report(Diagnostic::error("unreachable-service", message).with_hint(hint));
            }
        }
    }

    /// Reports an error when the network has subnets in fewer zones than something needs.
    pub fn require_zones(&self, scope: Scope<'_>, caller: &str, zones: usize) {
        let count = self.private_subnets.len();
        if count < zones {
            let message = format!("{caller} needs subnets in {zones} zones, and the network has {count}");
            let hint = format!("set zones to {zones} or more");
            scope.report(Diagnostic::error("too-few-zones", message).with_hint(hint));
        }
    }

    /// Whether there is an endpoint for calls to a service.
    fn reaches(&self, service: AwsService) -> bool {
        let has = |service| self.endpoints.contains(&service);
        // Agents of Systems Manager take the newer of its two message services when they can.
        has(service) || (service == AwsService::Ec2Messages && has(AwsService::SystemsManagerMessages))
    }

    /// Lets the members of a group reach the interface endpoints, as far as the network has some of its own.
    #[track_caller]
    pub fn allow_endpoints(&self, scope: Scope<'_>, id: &str, group: &Value<SecurityGroupId>) {
        if let Some(endpoints) = &self.endpoint_security_group {
            allow_between(scope, id, group, endpoints, HTTPS, "HTTPS to the interface endpoints");
        }
    }
}

/// Says what an existing network has to reach.
fn note_unknown(scope: Scope<'_>, caller: &str, names: &str, other_way: &str) {
    let message = format!("{caller} calls {names}, which the existing subnets have to reach");
    let hint = format!("give their route tables a way out through NAT{other_way}");
    scope.report(Diagnostic::new(Severity::Note, "reach-unknown", message).with_hint(hint));
}

fn way_out(scope: Scope<'_>, missing: &[AwsService]) -> String {
    let mut hint = "set natGateways to 1 or more".to_owned();
    let region = scope.environment().region;
    let region = region.as_deref();
    let absent =
        |service: &AwsService| region.is_some_and(|region| service.has_endpoint_in(region) == Some(false));
    if missing.iter().any(absent) {
        return hint;
    }
    if let Some(preset) = EndpointPreset::with(missing) {
        hint.push_str(&format!(", or endpoints to {}", preset.name()));
    } else if missing == [AwsService::MlflowApp] {
        let name = AwsService::MlflowApp.endpoint_service_in_words(region);
        hint.push_str(&format!(
            "; where AWS offers the undocumented endpoint {name}, moreEndpoints can name mlflow-app"
        ));
    } else {
        hint.push_str(", or name what is missing in moreEndpoints");
    }
    hint
}

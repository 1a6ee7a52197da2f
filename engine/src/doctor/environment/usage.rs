//! How much of a quota is used: counts of what there is, all pages.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Looked;
use crate::aws::Error;
use crate::aws::xml::Element;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Used {
    /// VPCs of the region.
    Vpcs,
    /// Elastic IP addresses of the region.
    Addresses,
    /// NAT gateways of the zone that has most of them.
    NatGatewaysOfAZone,
    /// Domains of SageMaker.
    Domains,
    /// Apps of SageMaker Studio that are not gone.
    Apps,
}

/// Counts.
pub(super) async fn count(looked: &Looked, used: Used) -> Result<u64, Error> {
    Ok(match used {
        Used::Vpcs => items(looked, "DescribeVpcs", "vpcSet", &[]).await?.len() as u64,
        // The only list of EC2 here that has no pages.
        Used::Addresses => items(looked, "DescribeAddresses", "addressesSet", &[]).await?.len() as u64,
        Used::NatGatewaysOfAZone => fullest_zone(looked).await?,
        Used::Domains => studio(looked, "SageMaker.ListDomains", "Domains").await?.len() as u64,
        Used::Apps => {
            let apps = studio(looked, "SageMaker.ListApps", "Apps").await?;
            let gone = |app: &Value| matches!(app["Status"].as_str(), Some("Deleted" | "Failed"));
            apps.iter().filter(|app| !gone(app)).count() as u64
        }
    })
}

/// All items of a list of EC2.
pub(super) async fn items(
    looked: &Looked,
    action: &'static str,
    list: &str,
    filters: &[(String, String)],
) -> Result<Vec<Element>, Error> {
    let mut all = Vec::new();
    let mut page: Option<String> = None;
    loop {
        let mut names = filters.to_vec();
        names.extend(page.take().map(|page| ("NextToken".to_owned(), page)));
        let answer = looked.call().query("ec2", action, "2016-11-15", &names).await?;
        all.extend(answer.members(list).cloned());
        match answer.text_of("nextToken").filter(|token| !token.is_empty()) {
            Some(token) => page = Some(token.to_owned()),
            None => return Ok(all),
        }
    }
}

/// The most NAT gateways that one zone has. They name their subnet, and the subnet its zone.
async fn fullest_zone(looked: &Looked) -> Result<u64, Error> {
    let mut gateways = items(looked, "DescribeNatGateways", "natGatewaySet", &[]).await?;
    gateways.retain(|gateway| !matches!(gateway.text_of("state"), Some("deleted" | "failed")));
    if gateways.is_empty() {
        return Ok(0);
    }
    let subnets = items(looked, "DescribeSubnets", "subnetSet", &[]).await?;
    let zones: BTreeMap<&str, &str> = subnets
        .iter()
        .filter_map(|subnet| Some((subnet.text_of("subnetId")?, subnet.text_of("availabilityZone")?)))
        .collect();
    let mut numbers: BTreeMap<&str, u64> = BTreeMap::new();
    for gateway in &gateways {
        let zone = gateway.text_of("subnetId").and_then(|subnet| zones.get(subnet)).copied();
        // A gateway whose subnet is not ours to see counts for a zone of its own.
        *numbers.entry(zone.unwrap_or("unknown")).or_default() += 1;
    }
    Ok(numbers.into_values().max().unwrap_or_default())
}

/// All items of a list of SageMaker.
async fn studio(looked: &Looked, target: &'static str, list: &str) -> Result<Vec<Value>, Error> {
    let mut all = Vec::new();
    let mut body = json!({ "MaxResults": 100 });
    loop {
        let mut answer = looked.call().json("sagemaker", target, &body).await?;
        if let Some(Value::Array(items)) = answer.get_mut(list).map(Value::take) {
            all.extend(items);
        }
        match answer["NextToken"].as_str().filter(|token| !token.is_empty()) {
            Some(token) => body["NextToken"] = token.into(),
            None => return Ok(all),
        }
    }
}

//! Ways out of the network, buckets, and stacks as a whole.

use formwork_engine::doctor::{self, Outcome};

use crate::case::shop;
use crate::platform::{WayOut, checks, has, located, quick, studio};

#[tokio::test(start_paused = true)]
async fn a_gateway_that_failed_says_why() {
    let script = "state AWS::EC2::NatGateway failed \"the address is taken\"";
    let checks = checks(&studio(WayOut::Nat), script).await;
    has(&checks, "nat-gateway", Outcome::Failed, "the address is taken", "describe-nat-gateways");
}

#[tokio::test(start_paused = true)]
async fn endpoints_that_were_rejected_or_wait_are_found() {
    let found = checks(&studio(WayOut::Nat), "state AWS::EC2::VPCEndpoint failed \"no such zone\"").await;
    has(&found, "vpc-endpoint", Outcome::Failed, "no such zone", "describe-vpc-endpoint-services");
    let found = checks(&studio(WayOut::Nat), "state AWS::EC2::VPCEndpoint pendingAcceptance").await;
    has(&found, "vpc-endpoint", Outcome::Failed, "pendingAcceptance", "withoutEndpoints");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_gone_or_may_not_be_asked_is_told() {
    let gone = "on s3:GetBucketLocation error 404 NoSuchBucket \"The specified bucket does not exist\"";
    let found = checks(&studio(WayOut::Nat), gone).await;
    has(&found, "bucket", Outcome::Failed, "it is gone", "formwork drift domain");
    let denied = "on s3:GetBucketLocation error 403 AccessDenied \"Access Denied\"";
    let found = checks(&studio(WayOut::Nat), denied).await;
    has(&found, "bucket", Outcome::Unknown, "does not belong to account 123456789012", "get-bucket-location");
}

#[tokio::test(start_paused = true)]
async fn stacks_that_are_not_there_or_failed_are_told_with_the_next_command() {
    let case = quick("");
    let found = doctor::deployed(&located(&case, &[shop("a")]).await).await;
    has(&found, "stack-status", Outcome::Skipped, "not deployed", "formwork deploy shop");

    let mut case = quick("resource Topic fail \"no\"");
    case.deploy(&[shop("a")]).await;
    let found = doctor::deployed(&located(&case, &[shop("a")]).await).await;
    has(&found, "stack-status", Outcome::Failed, "ROLLBACK_COMPLETE", "formwork diagnose shop");
}

#[tokio::test(start_paused = true)]
async fn resources_that_cannot_be_listed_are_unknown_and_stop_nothing() {
    let script = "on ListStackResources of net error 403 AccessDenied \"no\"";
    let checks = checks(&studio(WayOut::Nat), script).await;
    has(&checks, "stack-resources", Outcome::Unknown, "ListStackResources is denied", "");
    has(&checks, "domain-status", Outcome::Ok, "InService", "");
}

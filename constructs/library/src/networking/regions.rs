//! What is known of regions: which VPC endpoints and how many zones they have, with the date of the knowledge.
//!
//! Source: `DescribeVpcEndpointServices` in each region, as the repository aws-samples/aws-vpc-builder-cdk recorded it
//! for one account. AWS adds endpoints and zones, so what is missing in the record may be there by now: it is never a
//! mistake, and a region that is not in the record is not judged.

use super::AwsService::{self, *};

/// When the record was made.
pub const RECORD_DATE: &str = "2023-09-21";

/// The regions in the record, with the zones that the account had. Each region has the endpoints of all services here
/// that are older than the record.
pub(super) const RECORD: [(&str, u8); 17] = [
    ("ap-northeast-1", 3),
    ("ap-northeast-2", 4),
    ("ap-northeast-3", 3),
    ("ap-south-1", 3),
    ("ap-southeast-1", 3),
    ("ap-southeast-2", 3),
    ("ca-central-1", 3),
    ("eu-central-1", 3),
    ("eu-north-1", 3),
    ("eu-west-1", 3),
    ("eu-west-2", 3),
    ("eu-west-3", 3),
    ("sa-east-1", 3),
    ("us-east-1", 6),
    ("us-east-2", 3),
    ("us-west-1", 2),
    ("us-west-2", 4),
];

/// The services whose endpoint some zones of a region did not have.
const NOT_IN_ALL_ZONES: [(&str, &[AwsService]); 6] = [
    (
        "ap-northeast-2",
        &[
            EcrApi,
            EcrRegistry,
            SageMakerApi,
            SageMakerNotebook,
            SageMakerRuntime,
            SageMakerStudio,
            SecurityTokens,
        ],
    ),
    ("ap-northeast-3", &[SageMakerStudio]),
    ("ap-south-1", &[SageMakerApi]),
    ("ca-central-1", &[SageMakerApi]),
    ("sa-east-1", &[SageMakerApi]),
    ("us-west-2", &[SageMakerApi, SageMakerNotebook]),
];

/// The zones that an account had in a region.
pub(super) fn zones_of(region: &str) -> Option<u8> {
    RECORD.iter().find(|(known, _)| *known == region).map(|(_, zones)| *zones)
}

/// The services whose endpoint some zones of a region did not have.
pub(super) fn not_in_all_zones(region: &str) -> &'static [AwsService] {
    NOT_IN_ALL_ZONES.iter().find(|(known, _)| *known == region).map_or(&[], |(_, services)| services)
}

//! The versions of PostgreSQL, with their current minor version and the day on which support without a surcharge ends.
//!
//! A minor version that is not named is AWS's choice at the moment of the deployment, and one that is old is refused one
//! day: so the table is dated, and a test reminds of it. What a running database is worth is judged by `formwork doctor`,
//! which asks RDS.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The day on which the table of versions was last compared with what RDS offers.
///
/// Sources: the versions that RDS offers, as the pinned cfn-lint has them (rule E3691), and "Release calendar for Amazon
/// RDS for PostgreSQL": standard support ends with the February after the community's.
pub const POSTGRES_RECORD_DATE: &str = "2026-11-22";

/// A major version of PostgreSQL.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum PostgresVersion {
    /// PostgreSQL 16.
    #[serde(rename = "16")]
    V16,
    /// PostgreSQL 17.
    #[default]
    #[serde(rename = "17")]
    V17,
    /// PostgreSQL 18.
    #[serde(rename = "18")]
    V18,
}

impl PostgresVersion {
    /// All versions that can be chosen, oldest first.
    pub const ALL: [Self; 3] = [Self::V16, Self::V17, Self::V18];

    /// The family of parameter groups.
    pub fn family(self) -> &'static str {
        match self {
            Self::V16 => "postgres16",
            Self::V17 => "postgres17",
            Self::V18 => "postgres18",
        }
    }

    /// The newest minor version on [`POSTGRES_RECORD_DATE`].
    pub fn current_minor(self) -> &'static str {
        match self {
            Self::V16 => "16.15",
            Self::V17 => "17.11",
            Self::V18 => "18.6",
        }
    }

    /// The last day of RDS's standard support, such as `2029-02-28`. From then on RDS asks a surcharge.
    pub fn standard_support_until(self) -> &'static str {
        match self {
            Self::V16 => "2029-02-28",
            Self::V17 => "2030-02-28",
            Self::V18 => "2031-02-28",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{POSTGRES_RECORD_DATE, PostgresVersion};

    #[test]
    fn every_version_is_supported_for_a_year_after_the_record() {
        let (year, rest) = POSTGRES_RECORD_DATE.split_once('-').expect("a date");
        let a_year_later = format!("{}-{rest}", year.parse::<u16>().expect("a year") + 1);
        for version in PostgresVersion::ALL {
            let end = version.standard_support_until();
            assert!(end > a_year_later.as_str(), "{version:?} ends on {end}: leave it out");
            let major = version.family().strip_prefix("postgres").expect("a family");
            assert!(version.current_minor().starts_with(&format!("{major}.")), "{version:?}");
        }
    }
}

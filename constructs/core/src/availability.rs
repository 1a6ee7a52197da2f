//! Whether a resource type can be used in a region, for constructs that have another way when it cannot.

use formwork_schema::Availability;

/// Whether CloudFormation has a resource type in a region; nothing when the type or the region's list is not known.
///
/// Source: the lists of types by region in the schema pack.
pub fn available_in(type_name: &str, region: &str) -> Option<bool> {
    match formwork_schema::resource_type(type_name)?.available_in(region) {
        Availability::Yes => Some(true),
        Availability::No => Some(false),
        Availability::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::available_in;

    #[test]
    fn types_regions_and_what_is_not_known_are_told_apart() {
        assert_eq!(available_in("AWS::SageMaker::MlflowApp", "us-east-1"), Some(true));
        assert_eq!(available_in("AWS::SageMaker::MlflowApp", "af-south-1"), Some(false));
        assert_eq!(available_in("AWS::SageMaker::MlflowApp", "mars-north-1"), None);
        assert_eq!(available_in("AWS::SageMaker::Nothing", "us-east-1"), None);
    }
}

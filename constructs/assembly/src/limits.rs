//! The limits that CloudFormation puts on a template and on a stack.
//!
//! All figures are from the quotas page of the CloudFormation user guide
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>) unless a constant says
//! otherwise. None of those here can be raised by a request to AWS.

/// Resources in one template.
pub const RESOURCES: usize = 500;
/// Outputs in one template.
pub const OUTPUTS: usize = 200;
/// Parameters in one template.
pub const PARAMETERS: usize = 200;
/// Mappings in one template.
pub const MAPPINGS: usize = 200;
/// Name-value pairs under one top-level key of a mapping.
pub const MAPPING_ATTRIBUTES: usize = 200;
/// Bytes of a template that is passed as an object in S3 (1 MB).
pub const TEMPLATE_BYTES: usize = 1_048_576;
/// Bytes of a template that is passed inside the API request.
pub const INLINE_TEMPLATE_BYTES: usize = 51_200;
/// Bytes of the `Description` of a template.
pub const DESCRIPTION_BYTES: usize = 1_024;
/// Characters of a logical id of a resource.
pub const RESOURCE_NAME: usize = 255;
/// Characters of the name of a parameter.
pub const PARAMETER_NAME: usize = 255;
/// Characters of the name of an output.
pub const OUTPUT_NAME: usize = 255;
/// Characters of the name of a mapping, and of a key in it.
pub const MAPPING_NAME: usize = 255;
/// Characters of the name of an export; a name is unique in one account and region.
///
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html>.
pub const EXPORT_NAME: usize = 255;
/// Bytes of the value of a parameter.
pub const PARAMETER_VALUE_BYTES: usize = 4_096;
/// Characters of a parameter's `Description`.
///
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>.
pub const PARAMETER_DESCRIPTION: usize = 4_000;
/// Bytes of an output's `Description`.
///
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html>.
pub const OUTPUT_DESCRIPTION_BYTES: usize = 1_024;
/// Dynamic references (`{{resolve:…}}`) in one template.
///
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>.
pub const DYNAMIC_REFERENCES: usize = 60;
/// Characters of the name of a stack.
///
/// Source: `StackName` of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html>.
pub const STACK_NAME: usize = 128;
/// Tags of one stack.
///
/// Source: `Tags` of <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html>.
pub const STACK_TAGS: usize = 50;
/// Bytes of what a custom resource answers.
pub const CUSTOM_RESOURCE_RESPONSE_BYTES: usize = 4_096;
/// Macros in one template.
///
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros.html>.
pub const MACROS: usize = 100;

//! Facts of every public CloudFormation resource type, and the validator of a resource and of a whole template.

//! CloudFormation: stacks, change sets, events, exports.

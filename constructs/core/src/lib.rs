//! Typed constructs that grow a tree and turn it into checked CloudFormation.

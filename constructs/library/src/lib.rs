//! The constructs of an ML platform on AWS.

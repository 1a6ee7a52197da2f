//! Files of runs and models, served from the bucket, for clients that have no identity with AWS.

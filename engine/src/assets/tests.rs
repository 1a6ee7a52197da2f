//! Publishing against the simulator's S3: what is there, what goes there, and what stands in the way.

mod buckets;
mod changes;
mod sources;
pub(crate) mod support;
mod templates;
mod uploads;

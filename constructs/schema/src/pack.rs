//! The packed facts inside the crate, read by need.
//!
//! The types of a service share a compressed chunk, large services have several. Looking up a type inflates its chunk
//! and parses its record only, so a template costs what its own types cost.

pub mod format;

use std::sync::OnceLock;

use crate::facts::{Availability, ResourceType};
use format::Index;

static INDEX_BYTES: &[u8] = include_bytes!("../pack/index.bin");
static FACTS_BYTES: &[u8] = include_bytes!("../pack/facts.bin");

struct Pack {
    index: Index,
    chunks: Vec<OnceLock<Vec<u8>>>,
    types: Vec<OnceLock<ResourceType>>,
}

fn pack() -> &'static Pack {
    static PACK: OnceLock<Pack> = OnceLock::new();
    PACK.get_or_init(|| {
        let index =
            Index::decode(INDEX_BYTES).expect("the pack is written by `cargo xtask generate` and tested");
        Pack {
            chunks: index.chunks.iter().map(|_| OnceLock::new()).collect(),
            types: index.types.iter().map(|_| OnceLock::new()).collect(),
            index,
        }
    })
}

/// The facts of a resource type, by its exact name.
pub fn resource_type(name: &str) -> Option<&'static ResourceType> {
    let pack = pack();
    let position = pack.index.types.binary_search_by(|entry| entry.name.as_str().cmp(name)).ok()?;
    Some(pack.types[position].get_or_init(|| {
        let entry = &pack.index.types[position];
        let chunk = pack.chunks[entry.chunk].get_or_init(|| {
            let (start, length) = pack.index.chunks[entry.chunk];
            format::inflate(&FACTS_BYTES[start..start + length])
                .expect("the pack is written by `cargo xtask generate` and tested")
        });
        serde_json::from_slice(&chunk[entry.start..entry.start + entry.length])
            .expect("the pack is written by `cargo xtask generate` and every record is read by a test")
    }))
}

/// The names of all types, sorted.
pub fn type_names() -> impl ExactSizeIterator<Item = &'static str> {
    pack().index.types.iter().map(|entry| entry.name.as_str())
}

/// The names of all services of AWS types, such as `EC2`, sorted.
pub fn services() -> Vec<&'static str> {
    let mut services: Vec<_> = type_names()
        .filter(|name| name.starts_with("AWS::"))
        .filter_map(|name| name.split("::").nth(1))
        .collect();
    services.sort_unstable();
    services.dedup();
    services
}

/// The day of the schemas in the pack, as `2026-10-20`.
pub fn pack_date() -> &'static str {
    &pack().index.date
}

/// The regions whose lists of types are known, sorted.
pub fn regions() -> &'static [String] {
    &pack().index.regions
}

/// Whether a bit set of regions has a region.
pub(crate) fn availability(set: u64, region: &str) -> Availability {
    match regions().binary_search_by(|known| known.as_str().cmp(region)) {
        Ok(bit) if set & (1 << bit) != 0 => Availability::Yes,
        Ok(_) => Availability::No,
        Err(_) => Availability::Unknown,
    }
}

/// The type name that a misspelt one most likely means.
pub fn closest_type_name(name: &str) -> Option<&'static str> {
    crate::spelling::closest(name, type_names())
}

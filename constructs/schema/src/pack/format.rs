//! How the pack is laid out, for the code that writes it and the code that reads it.
//!
//! `facts.bin` is a row of deflated chunks, each a row of JSON records; `index.bin` is a deflated JSON index of both.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};

use crate::facts::ResourceType;

/// A chunk is closed when its records have this many bytes, so that no type pays for much more than itself.
const CHUNK_BYTES: usize = 96 * 1024;

/// Where each record is.
#[derive(Debug, Serialize, Deserialize)]
pub struct Index {
    /// The day of the schemas.
    pub date: String,
    /// The regions whose lists of types are known, sorted; a type's region set has their positions as bits.
    pub regions: Vec<String>,
    /// Offset and length of each chunk in `facts.bin`.
    pub chunks: Vec<(usize, usize)>,
    /// The types sorted by name.
    pub types: Vec<Entry>,
}

/// Where the record of one type is.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The type's name.
    #[serde(rename = "n")]
    pub name: String,
    /// The number of its chunk.
    #[serde(rename = "c")]
    pub chunk: usize,
    /// The offset of its record in the inflated chunk.
    #[serde(rename = "s")]
    pub start: usize,
    /// The length of its record.
    #[serde(rename = "l")]
    pub length: usize,
}

impl Index {
    /// Reads an index.
    ///
    /// # Errors
    ///
    /// When the bytes are not what [`encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let json = inflate(bytes).map_err(|error| format!("index cannot be inflated: {error}"))?;
        serde_json::from_slice(&json).map_err(|error| format!("index cannot be parsed: {error}"))
    }
}

/// The two files of a pack.
pub struct Encoded {
    /// The contents of `index.bin`.
    pub index: Vec<u8>,
    /// The contents of `facts.bin`.
    pub facts: Vec<u8>,
}

/// Writes a pack of types that are sorted by name. The same input gives the same bytes.
///
/// # Errors
///
/// When a record cannot be written as JSON.
pub fn encode(date: &str, regions: &[String], types: &[ResourceType]) -> Result<Encoded, String> {
    let mut facts = Vec::new();
    let mut index =
        Index { date: date.into(), regions: regions.into(), chunks: Vec::new(), types: Vec::new() };
    let mut chunk = Vec::new();
    let mut service = "";
    for resource in types {
        if !chunk.is_empty() && (chunk.len() > CHUNK_BYTES || service != resource.service()) {
            close(&mut chunk, &mut facts, &mut index);
        }
        service = resource.service();
        let record = serde_json::to_vec(resource).map_err(|error| format!("{}: {error}", resource.name()))?;
        index.types.push(Entry {
            name: resource.name().into(),
            chunk: index.chunks.len(),
            start: chunk.len(),
            length: record.len(),
        });
        chunk.extend(record);
    }
    close(&mut chunk, &mut facts, &mut index);
    let json = serde_json::to_vec(&index).map_err(|error| format!("index: {error}"))?;
    Ok(Encoded { index: deflate(&json), facts })
}

fn close(chunk: &mut Vec<u8>, facts: &mut Vec<u8>, index: &mut Index) {
    let packed = deflate(chunk);
    index.chunks.push((facts.len(), packed.len()));
    facts.extend(packed);
    chunk.clear();
}

/// Compresses bytes with raw deflate.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing to memory cannot fail")
}

/// Reverses [`deflate`].
///
/// # Errors
///
/// When the bytes are not a deflate stream.
pub fn inflate(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut inflated = Vec::with_capacity(bytes.len() * 8);
    DeflateDecoder::new(bytes).read_to_end(&mut inflated)?;
    Ok(inflated)
}

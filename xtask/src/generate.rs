//! `cargo xtask generate`: builds the pack of resource facts from the two public packages that hold them.
//!
//! cfn-lint's schemas give what a resource may be, the CDK's service specification what it returns; the record of a
//! type merges both. `--check` builds the same in memory and compares, so that a stale pack cannot land.

mod attributes;
mod extensions;
mod pattern;
mod provider;
mod specification;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use formwork_schema::ResourceType;
use formwork_schema::pack::format::{self, Encoded};
use serde_json::{Map, Value, json};

/// Where the two source packages are, and the repository.
pub(crate) struct Paths {
    /// The folder of the installed Python package `cfnlint`, the one that has `data/schemas`.
    pub(crate) cfn_lint: PathBuf,
    /// The folder of the installed Node package `@aws-cdk/aws-service-spec`, the one that has `db.json.gz`.
    pub(crate) service_spec: PathBuf,
    /// The folder of the repository.
    pub(crate) repository: PathBuf,
}

/// Writes the pack, or with `check` compares it with what would be written, and gives the facts that are in it.
///
/// # Errors
///
/// When a source cannot be read, a type cannot be packed, or, with `check`, a file is stale.
pub(crate) fn run(paths: &Paths, check: bool) -> Result<Vec<ResourceType>, String> {
    let crate_folder = paths.repository.join("constructs/schema");
    let mut report = Report::default();
    let types = provider::read(&paths.cfn_lint, &crate_folder, &mut report)?;
    let specification = specification::read(&paths.service_spec.join("db.json.gz"))?;
    let extensions = extensions::read(&paths.cfn_lint, &crate_folder, &types.regions, &mut report)?;
    let stateful = stateful(&paths.cfn_lint, &crate_folder)?;

    let mut records = Vec::new();
    for (name, provider) in &types.schemas {
        let mut record = provider.clone();
        specification.merge(name, &mut record);
        extensions.add(name, &mut record)?;
        let reason = match (stateful.get(name), specification.is_stateful(name)) {
            (Some(reason), _) => Some(reason.clone()),
            (None, true) => Some("the CDK's service specification lists it".to_owned()),
            (None, false) => None,
        };
        if let Some(reason) = reason {
            record.insert("stateful".into(), reason.into());
        }
        // The keywords of a schema are read from text: their names are borrowed from it.
        let text = Value::Object(record).to_string();
        let record: ResourceType =
            serde_json::from_str(&text).map_err(|error| format!("{name} cannot be packed: {error}"))?;
        records.push(record);
    }
    let Encoded { index, facts } = format::encode(&types.date, &types.regions, &records)?;
    let sources = json!({
        "schemas": { "package": "cfn-lint", "version": package_version(&paths.cfn_lint)?, "date": types.timestamp, "licence": "MIT-0" },
        "specification": {
            "package": "@aws-cdk/aws-service-spec",
            "version": read_json(&paths.service_spec.join("package.json"))?["version"],
            "licence": "Apache-2.0",
        },
        "counts": {
            "types": records.len(),
            "typesWithSpecification": types.schemas.keys().filter(|name| specification.knows(name)).count(),
            "regions": types.regions.len(),
            "statefulTypes": records.iter().filter(|record| record.is_stateful()).count(),
            "packBytes": index.len() + facts.len(),
            "patches": report.patches,
            "rewrittenPatterns": report.rewritten_patterns,
        },
        "regionsWithoutFacts": types.unknown_regions,
        "rulesLeftOut": extensions.left_out,
        "droppedPatterns": report.dropped_patterns,
    });
    let mut sources = serde_json::to_string_pretty(&sources).map_err(|error| error.to_string())?;
    sources.push('\n');

    let pack = crate_folder.join("pack");
    let files = [
        ("index.bin", index),
        ("facts.bin", facts),
        ("runtimes.json", runtimes(&paths.cfn_lint)?),
        ("SOURCES.json", sources.into_bytes()),
    ];
    for (name, bytes) in files {
        let file = pack.join(name);
        if !check {
            fs::write(&file, &bytes).map_err(|error| format!("{}: {error}", file.display()))?;
        } else if fs::read(&file).ok().as_deref() != Some(&bytes) {
            return Err(format!("{} is stale\nhint: run `cargo xtask generate`", file.display()));
        }
    }
    Ok(records)
}

/// What was left out or changed, for `SOURCES.json`.
#[derive(Default)]
struct Report {
    patches: usize,
    rewritten_patterns: usize,
    dropped_patterns: BTreeMap<String, String>,
}

/// The types that hold data, with the reason: the public list and ours, which wins.
fn stateful(cfn_lint: &Path, crate_folder: &Path) -> Result<BTreeMap<String, String>, String> {
    let public = read_json(&cfn_lint.join("data/AdditionalSpecs/StatefulResources.json"))?;
    let own = read_json(&crate_folder.join("facts/stateful.json"))?;
    let mut reasons: BTreeMap<String, String> = object(&public["ResourceTypes"])?
        .keys()
        .map(|name| (name.clone(), "cfn-lint lists it".to_owned()))
        .collect();
    for (name, reason) in object(&own)? {
        reasons.insert(name.clone(), reason.as_str().unwrap_or_default().to_owned());
    }
    Ok(reasons)
}

/// The runtimes of functions with the days on which they end.
fn runtimes(cfn_lint: &Path) -> Result<Vec<u8>, String> {
    let table = read_json(&cfn_lint.join("data/AdditionalSpecs/LmbdRuntimeLifecycle.json"))?;
    let runtimes: Vec<Value> = object(&table)?
        .iter()
        .map(|(name, days)| {
            json!({
                "name": name, "deprecated": days["deprecated"], "createBlocked": days["create-block"],
                "updateBlocked": days["update-block"], "successor": days["successor"],
            })
        })
        .collect();
    let mut text = serde_json::to_vec_pretty(&runtimes).map_err(|error| error.to_string())?;
    text.push(b'\n');
    Ok(text)
}

/// The version of the installed Python package, from its own version file.
fn package_version(cfn_lint: &Path) -> Result<String, String> {
    let file = cfn_lint.join("version.py");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    text.lines()
        .find_map(|line| line.strip_prefix("__version__ = "))
        .map(|version| version.trim_matches(['"', '\'']).to_owned())
        .ok_or_else(|| format!("{}: no line `__version__ = …`", file.display()))
}

fn read_json(file: &Path) -> Result<Value, String> {
    let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", file.display()))
}

fn object(value: &Value) -> Result<&Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("expected an object, found {value}"))
}

/// The strings of a list, none when there is no list.
fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

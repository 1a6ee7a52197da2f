//! Every service generates a module that compiles. It takes minutes, so it runs only when `FORMWORK_SLOW` is `1`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use formwork_codegen::{module, module_name};
use formwork_schema::{ResourceType, resource_type, type_names};

const MANIFEST: &str = r#"[package]
name = "all-services"
version = "0.0.0"
edition = "2024"

[dependencies]
formwork.path = "FORMWORK"

[workspace]
"#;

#[test]
fn the_modules_of_all_services_compile_without_a_warning() -> Result<(), Box<dyn Error>> {
    if std::env::var_os("FORMWORK_SLOW").is_none_or(|value| value != "1") {
        eprintln!("left out: FORMWORK_SLOW is not 1");
        return Ok(());
    }
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("all-services");
    if folder.join("src").exists() {
        fs::remove_dir_all(folder.join("src"))?;
    }
    fs::create_dir_all(folder.join("src"))?;
    let core = repository.join("constructs/core");
    fs::write(folder.join("Cargo.toml"), MANIFEST.replace("FORMWORK", &core.to_string_lossy()))?;
    fs::copy(repository.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    fs::copy(repository.join("rustfmt.toml"), folder.join("rustfmt.toml"))?;

    let mut services: BTreeMap<String, Vec<&ResourceType>> = BTreeMap::new();
    for found in type_names().filter_map(resource_type) {
        services.entry(module_name(found.name())).or_default().push(found);
    }
    let mut library = String::from("//! All services.\n\n#![deny(warnings, missing_docs)]\n\n");
    for (name, types) in &services {
        fs::write(folder.join(format!("src/{name}.rs")), module(types))?;
        library.push_str(&format!("pub mod {name};\n"));
    }
    fs::write(folder.join("src/lib.rs"), library)?;

    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    for arguments in [["fmt", "--check"].as_slice(), &["check", "--quiet", "--offline"]] {
        let mut command = Command::new(&cargo);
        command.args(arguments).current_dir(&folder).env("CARGO_TARGET_DIR", folder.join("target"));
        let status = command.status()?;
        assert!(status.success(), "{command:?} of {} services ended with {status}", services.len());
    }
    Ok(())
}

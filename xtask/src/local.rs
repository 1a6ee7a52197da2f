//! `cargo xtask local`: both modes of the platform, deployed to an emulator of AWS on this machine.
//!
//! The emulator is ministack, started by a launcher that adds what our stacks need (`tests/emulator/launcher.py`).
//! Every step is the real `formwork` binary with the exit code that it must end with: what is tried here is what a user
//! does, without an account.

mod emulator;
mod exports;
mod life;
mod requests;
mod twin;
mod walk;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::build::Build;
use crate::paths::Paths;
use crate::setup;
use emulator::Emulator;
use walk::Walk;

/// The account that the emulator takes from the access key.
const ACCOUNT: &str = "123456789012";
/// The regions of the walk, with the prefix of our stacks in each: in the first the twin has the one of the default.
const REGIONS: [(&str, &str); 2] = [("us-east-1", "platform"), ("eu-west-1", "sagemaker-infra")];

/// Starts the emulator, walks through a deployment's life in it, and stops it again.
///
/// # Errors
///
/// The set-up fails, or a step ends otherwise than it should.
pub(crate) fn walk(paths: &Paths, build: Build) -> Result<(), String> {
    setup::emulator(paths)?;
    setup::node_packages(paths)?;
    setup::twin(paths)?;
    let folder = paths.join(".tools/local");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let program = place(build, paths, &folder)?;
    let started = Instant::now();
    let emulator = Emulator::start(paths, &folder)?;
    let walk = Walk::new(paths, program, folder.clone(), emulator);
    everything(&walk)?;
    // Also what the emulator has unpacked; after a failure it stays, to be looked at.
    drop(walk);
    let _ = fs::remove_dir_all(&folder);
    let regions = REGIONS.map(|(region, _)| region).join(" and ");
    println!(
        "both modes were deployed, changed, repaired and deleted in {regions}, and a twin beside them, in {} s",
        started.elapsed().as_secs()
    );
    Ok(())
}

fn everything(walk: &Walk) -> Result<(), String> {
    let [(first, _), _] = REGIONS;
    let twin = twin::Twin::deployed_by_cdk(walk, first)?;
    twin.is_not_ours()?;
    let mut lives = Vec::new();
    for (region, prefix) in REGIONS {
        let life = life::Life::new(walk, region, prefix);
        life.bootstrap()?;
        let before = walk.inventory(region)?;
        life.grow()?;
        lives.push((life, before));
    }
    exports::are_removed_in_two_phases(walk, first)?;
    for (index, (life, before)) in lives.iter().enumerate() {
        life.end(before)?;
        // What is in one region does not go with the other.
        lives.iter().skip(index + 1).try_for_each(|(other, _)| other.is_grown())?;
    }
    twin.is_unchanged()?;
    twin.is_adopted()?;
    twin::deployed_by_us(walk, first)
}

/// Puts the command line beside a stand-in for the proxy's binary, which no instance here will run.
fn place(build: Build, paths: &Paths, folder: &Path) -> Result<PathBuf, String> {
    let built = build.program(paths, "formwork-cli", "formwork")?;
    let program = folder.join("formwork");
    fs::copy(&built, &program).map_err(|error| format!("cannot copy {}: {error}", built.display()))?;
    let stand_in = folder.join("mlflow-proxy-linux-amd64");
    fs::write(&stand_in, "no instance runs this\n")
        .map_err(|error| format!("cannot write {}: {error}", stand_in.display()))?;
    Ok(program)
}

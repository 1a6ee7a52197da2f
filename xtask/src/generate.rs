//! `cargo xtask generate`: writes the files that are made from facts of other projects, or checks that they are fresh.

use crate::paths::Paths;

/// Writes the generated files, or with `check` only compares them.
///
/// # Errors
///
/// A source cannot be read, or with `check` a file differs from what would be written.
pub(crate) fn run(paths: &Paths, _check: bool) -> Result<(), String> {
    for source in [paths.cfn_lint_package()?, paths.service_spec()] {
        if !source.is_dir() {
            return Err(format!("{} is not there", source.display()));
        }
    }
    println!("nothing is generated yet");
    Ok(())
}

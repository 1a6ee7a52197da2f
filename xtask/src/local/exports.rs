//! An export that is in use is removed: in two phases, by itself.
//!
//! The emulator's launcher refuses what CloudFormation refuses, so that a single update of the exporting stack would be
//! rolled back here too.

use super::walk::Walk;

/// Deploys two stacks, removes what one reads of the other, and deletes both.
///
/// # Errors
///
/// A step ends with another exit code, or the stacks are not updated in the only order that works.
pub(super) fn are_removed_in_two_phases(walk: &Walk, region: &str) -> Result<(), String> {
    let app = |name: &str| walk.paths.join("tests/emulator/exports").join(name).display().to_string();
    let (before, after) = (app("before"), app("after"));
    walk.expect(region, 0, &["deploy", "--app", &before, "--yes"])?;
    let requests = walk.requests(|| {
        walk.expect(region, 0, &["deploy", "--app", &after, "--yes", "--allow", "delete"]).map(drop)
    })?;
    let executed: Vec<&str> = requests
        .iter()
        .filter(|request| request.operation == "ExecuteChangeSet")
        .filter_map(|request| {
            ["exporting", "importing"].into_iter().find(|name| request.stack.contains(name))
        })
        .collect();
    if executed != ["exporting", "importing", "exporting"] {
        return Err(format!("the stacks were updated in the order {}", executed.join(", ")));
    }
    println!("the export was removed after its importer: {}", executed.join(", then "));
    walk.only_reads(|| walk.expect(region, 0, &["deploy", "--app", &after, "--yes"]).map(drop))?;
    walk.expect(region, 0, &["destroy", "--app", &after, "--yes", "--allow", "delete"])?;
    walk.look(region, &["exporting".to_owned(), "importing".to_owned()], false)
}

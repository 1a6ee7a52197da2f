//! The runtimes of Lambda functions, with the days on which they end.

use std::sync::OnceLock;

use serde::Deserialize;

/// A runtime of Lambda functions. Days are written as `2026-10-20`, so that they compare as text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Runtime {
    /// The identifier, such as `python3.13`.
    pub name: String,
    /// The day from which AWS no longer keeps it up.
    pub deprecated: Option<String>,
    /// The day from which no function can be created with it.
    pub create_blocked: Option<String>,
    /// The day from which no function that uses it can be changed.
    pub update_blocked: Option<String>,
    /// The runtime to move to.
    pub successor: Option<String>,
}

/// The runtimes that AWS has announced an end for, sorted by name. A runtime that is not here has no known end.
pub fn runtimes() -> &'static [Runtime] {
    static RUNTIMES: OnceLock<Vec<Runtime>> = OnceLock::new();
    RUNTIMES.get_or_init(|| {
        serde_json::from_slice(include_bytes!("../pack/runtimes.json"))
            .expect("the table is written by `cargo xtask generate` and read by a test")
    })
}

/// The runtime of a name, when AWS has announced an end for it.
pub fn runtime(name: &str) -> Option<&'static Runtime> {
    runtimes().iter().find(|runtime| runtime.name == name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_old_runtime_has_ended_and_names_its_successor() {
        let old = super::runtime("python3.7").expect("in the table");
        assert!(old.create_blocked.as_deref().is_some_and(|day| day < crate::pack_date()));
        assert!(old.successor.as_deref().is_some_and(|name| name.starts_with("python3.")));
        assert!(super::runtimes().is_sorted_by_key(|runtime| &runtime.name));
    }
}

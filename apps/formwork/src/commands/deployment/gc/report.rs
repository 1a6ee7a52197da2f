//! What `formwork gc` tells: what may go in each account and region, and what came of it.

use formwork_engine::collect::{StaleChangeSet, UnusedAsset};
use schemars::JsonSchema;
use serde::Serialize;

use crate::console::{count, table, thousands};

/// What `formwork gc --json` prints.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "formwork gc --json")]
pub(crate) struct GcReport {
    /// Whether what is listed was deleted, but for what was kept.
    pub(crate) deleted: bool,
    /// The accounts and regions that were looked at.
    pub(crate) places: Vec<GcPlace>,
}

/// What may go in an account and region.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GcPlace {
    /// The account, 12 digits.
    pub(crate) account: String,
    /// The region.
    pub(crate) region: String,
    /// The bucket whose assets were looked at; nothing where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bucket: Option<String>,
    /// The assets that nothing names, by key.
    pub(crate) assets: Vec<GcAsset>,
    /// The change sets that nobody will execute.
    pub(crate) change_sets: Vec<GcChangeSet>,
    /// What could not be deleted, and why.
    pub(crate) kept: Vec<GcKept>,
}

/// An asset that may go.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GcAsset {
    /// The key.
    pub(crate) key: String,
    /// The size in bytes.
    pub(crate) bytes: u64,
    /// When it was put there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) modified: Option<String>,
}

/// A change set that may go.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GcChangeSet {
    /// Its stack.
    pub(crate) stack: String,
    /// Its name.
    pub(crate) name: String,
    /// Why it may go.
    pub(crate) reason: String,
    /// Whether the stack goes with it, which is empty and was made for it.
    pub(crate) with_stack: bool,
}

/// Something that was to go and is still there.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GcKept {
    /// The key, the stack and the change set, or `stack` and the name of a stack whose change set is gone.
    pub(crate) name: String,
    /// Why.
    pub(crate) reason: String,
}

impl From<&UnusedAsset> for GcAsset {
    fn from(asset: &UnusedAsset) -> Self {
        let modified = asset.modified.map(|modified| modified.to_string());
        Self { key: asset.key.clone(), bytes: asset.bytes, modified }
    }
}

impl From<&StaleChangeSet> for GcChangeSet {
    fn from(set: &StaleChangeSet) -> Self {
        Self {
            stack: set.stack.clone(),
            name: set.name.clone(),
            reason: set.reason.clone(),
            with_stack: set.with_stack,
        }
    }
}

impl GcReport {
    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.places.iter().all(|place| place.assets.is_empty() && place.change_sets.is_empty())
    }

    /// How many could not be deleted.
    pub(super) fn kept(&self) -> usize {
        self.places.iter().map(|place| place.kept.len()).sum()
    }

    /// `3 assets of 1,024 bytes, 2 change sets`: what may go, and after the deletion what went.
    pub(super) fn totals(&self) -> String {
        let assets = || self.places.iter().flat_map(GcPlace::assets_that_go);
        let bytes: u64 = assets().map(|asset| asset.bytes).sum();
        let sets: usize = self.places.iter().map(|place| place.change_sets_that_go().count()).sum();
        let size = thousands(usize::try_from(bytes).unwrap_or(usize::MAX));
        format!("{} of {size} bytes, {}", count(assets().count(), "asset"), count(sets, "change set"))
    }
}

impl GcPlace {
    fn is_kept(&self, name: &str) -> bool {
        self.kept.iter().any(|kept| kept.name == name)
    }

    fn assets_that_go(&self) -> impl Iterator<Item = &GcAsset> {
        self.assets.iter().filter(|asset| !self.is_kept(&asset.key))
    }

    fn change_sets_that_go(&self) -> impl Iterator<Item = &GcChangeSet> {
        self.change_sets.iter().filter(|set| !self.is_kept(&name_of_set(&set.stack, &set.name)))
    }
}

/// What a change set that was kept is called.
pub(super) fn name_of_set(stack: &str, name: &str) -> String {
    format!("{stack}/{name}")
}

/// A table of assets and one of change sets for each place.
pub(super) fn text(report: &GcReport) -> String {
    let mut text = String::new();
    for place in &report.places {
        text.push_str(&format!("aws://{}/{}\n", place.account, place.region));
        if place.bucket.is_none() {
            text.push_str("there is no bucket of a bootstrap stack here\n");
        }
        if place.assets.is_empty() && place.change_sets.is_empty() {
            text.push_str("nothing may go\n");
        }
        if !place.assets.is_empty() {
            let mut rows = vec![["asset", "bytes", "put there on"].map(str::to_owned).to_vec()];
            rows.extend(place.assets.iter().map(|asset| {
                let bytes = thousands(usize::try_from(asset.bytes).unwrap_or(usize::MAX));
                let day = asset.modified.as_deref().and_then(|time| time.get(..10)).unwrap_or_default();
                vec![asset.key.clone(), bytes, day.to_owned()]
            }));
            text.push_str(&table(&rows));
        }
        if !place.change_sets.is_empty() {
            let mut rows = vec![["stack", "change set", "why"].map(str::to_owned).to_vec()];
            rows.extend(place.change_sets.iter().map(|set| {
                let more = if set.with_stack { "; the stack is empty and goes as well" } else { "" };
                vec![set.stack.clone(), set.name.clone(), format!("{}{more}", set.reason)]
            }));
            text.push_str(&table(&rows));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> GcReport {
        let asset = GcAsset {
            key: "abc.zip".to_owned(),
            bytes: 2_048,
            modified: Some("2026-01-02T03:04:05Z".to_owned()),
        };
        let set = GcChangeSet {
            stack: "app".to_owned(),
            name: "fw-1".to_owned(),
            reason: "it failed".to_owned(),
            with_stack: true,
        };
        let place = GcPlace {
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            bucket: Some("assets".to_owned()),
            assets: vec![asset],
            change_sets: vec![set],
            kept: Vec::new(),
        };
        GcReport { deleted: false, places: vec![place] }
    }

    /// Regression of #1857: what stays must not be counted among what went.
    #[test]
    fn what_is_still_there_is_not_counted_as_deleted() {
        let kept = |name: &str| GcKept { name: name.to_owned(), reason: "denied".to_owned() };
        for (names, totals) in [
            (&["abc.zip"][..], "0 assets of 0 bytes, 1 change set"),
            (&["app/fw-1"], "1 asset of 2,048 bytes, 0 change sets"),
            (&["abc.zip", "app/fw-1"], "0 assets of 0 bytes, 0 change sets"),
            (&["stack app"], "1 asset of 2,048 bytes, 1 change set"),
        ] {
            let mut report = report();
            report.places[0].kept = names.iter().copied().map(kept).collect();
            assert_eq!(report.totals(), totals, "{names:?}");
        }
    }

    #[test]
    fn what_may_go_is_told_with_sizes_and_reasons() {
        let report = report();
        assert_eq!(report.totals(), "1 asset of 2,048 bytes, 1 change set");
        let wanted = "\
aws://123456789012/eu-west-1
asset    bytes  put there on
abc.zip  2,048  2026-01-02
stack  change set  why
app    fw-1        it failed; the stack is empty and goes as well

";
        assert_eq!(text(&report), wanted);
    }
}

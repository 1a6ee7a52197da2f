//! Ids and locations of the source inside of what is copied, as those of the target.
//!
//! A nested run names its parent in a tag, a model names its run and its place in its file `MLmodel`, a trace names its
//! run. What names an item that is not copied stays as it is.

use serde_json::Value;

use super::ids::Ids;
use super::item::Kind;

/// The length of MLflow's ids of runs, in hex digits; those of models have `m-` before as many.
const ID: usize = 32;

/// The text with the ids of copied runs and models replaced.
pub(crate) fn ids_in(text: &str, ids: &Ids) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let end =
            rest[start..].find(|character| !is_word(character)).map_or(rest.len(), |length| start + length);
        let word = &rest[start..end];
        out.push_str(&rest[..start]);
        match (word.len(), out.ends_with("m-")) {
            (ID, true) => match ids.target(Kind::Model, &format!("m-{word}")) {
                Some(target) => {
                    out.truncate(out.len() - 2);
                    out.push_str(&target);
                }
                None => out.push_str(word),
            },
            (ID, false) => out.push_str(ids.target(Kind::Run, word).as_deref().unwrap_or(word)),
            _ => out.push_str(word),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric()
}

/// The same for every text of a document.
pub(crate) fn ids_in_document(document: &mut Value, ids: &Ids) {
    match document {
        Value::String(text) if text.len() >= ID => *text = ids_in(text, ids),
        Value::Array(items) => items.iter_mut().for_each(|item| ids_in_document(item, ids)),
        Value::Object(fields) => fields.values_mut().for_each(|field| ids_in_document(field, ids)),
        _ => {}
    }
}

/// Ids of experiments between commas, by which prompts say where they belong.
pub(crate) fn experiments_in(text: &str, ids: &Ids) -> String {
    let own = |id: &str| ids.target(Kind::Experiment, id).unwrap_or_else(|| id.to_owned());
    text.split(',').map(own).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_of_what_was_copied_change() {
        let directory = tempfile::tempdir().unwrap();
        let ids = Ids::open(directory.path(), "a", "b").unwrap();
        let (run, model, other) = ("0".repeat(32), format!("m-{}", "1".repeat(32)), "2".repeat(32));
        ids.keep(Kind::Run, &run, "RUN", false).unwrap();
        ids.keep(Kind::Model, &model, "m-MODEL", false).unwrap();
        ids.keep(Kind::Experiment, "1", "17", false).unwrap();
        let text = format!(
            "run_id: {run}\npath: s3://b/1/models/{model}/artifacts\nother: {other}, {run}0, ü m-{run}"
        );
        let wanted = format!(
            "run_id: RUN\npath: s3://b/1/models/m-MODEL/artifacts\nother: {other}, {run}0, ü m-{run}"
        );
        assert_eq!(ids_in(&text, &ids), wanted);
        let mut document = serde_json::json!({"a": [format!("[{{\"run_id\": \"{run}\"}}]"), 1]});
        ids_in_document(&mut document, &ids);
        assert_eq!(document["a"][0], "[{\"run_id\": \"RUN\"}]");
        assert_eq!(experiments_in(",1,2,", &ids), ",17,2,");
    }
}

use super::*;
use crate::plan::testing::plan;

#[test]
fn a_plan_is_read_as_it_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("plan.json");
    let plan = plan();
    write(&plan, &path).unwrap();
    assert_eq!(read(&path).unwrap(), plan);
}

#[test]
fn a_changed_plan_is_refused() {
    let text = text(&plan()).replace("\"bytes\": 10", "\"bytes\": 11");
    let refused = parse(&text, "plan.json").unwrap_err();
    assert_eq!(refused.class, Class::Refused);
    assert!(refused.message.contains("was changed after it was written"), "{}", refused.message);
}

#[test]
fn members_that_nobody_knows_count_as_a_change() {
    let text = text(&plan()).replacen('{', "{\"extra\": 1,", 1);
    assert!(parse(&text, "plan.json").unwrap_err().message.contains("was changed"));
}

#[test]
fn other_versions_are_refused() {
    let mut later = plan();
    later.format = FORMAT + 1;
    seal(&mut later);
    assert!(parse(&text(&later), "plan.json").unwrap_err().message.contains("format 2"));
    let mut other = plan();
    other.program = "7.0.0".to_owned();
    seal(&mut other);
    assert!(parse(&text(&other), "plan.json").unwrap_err().message.contains("Formwork 7.0.0"));
    assert_eq!(parse("[]", "plan.json").unwrap_err().class, Class::Input);
    assert_eq!(parse("{", "plan.json").unwrap_err().class, Class::Input);
}

#[test]
fn the_schema_has_every_member_of_a_plan() {
    let schema = schema();
    let plan = serde_json::to_value(plan()).unwrap();
    for name in plan.as_object().unwrap().keys() {
        assert!(schema["properties"].get(name).is_some(), "{name}");
    }
}

/// The form of the file is a contract: whoever changes it raises [`FORMAT`] unless old readers still understand it.
#[test]
fn the_form_of_the_file_stays() {
    let golden = include_str!("golden.json");
    let text = text(&plan());
    if std::env::var_os("BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/plan/file/golden.json");
        std::fs::write(path, &text).unwrap();
        return;
    }
    assert_eq!(text, golden, "run with BLESS=1 to write the file anew");
    assert_eq!(parse(golden, "golden.json").unwrap(), plan());
}

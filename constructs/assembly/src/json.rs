//! JSON as the assembly writes it: keys sorted, one space of indentation, a newline at the end.
//!
//! Sorting happens here and not in the map type, because cargo features of other crates can change the order in which
//! `serde_json` keeps its keys. Two synths of the same input therefore give the same bytes whatever is linked in.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;

struct Sorted<'a>(&'a Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(object) => {
                let sorted: BTreeMap<&String, &Value> = object.iter().collect();
                let mut map = serializer.serialize_map(Some(sorted.len()))?;
                for (key, value) in sorted {
                    map.serialize_entry(key, &Sorted(value))?;
                }
                map.end()
            }
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Sorted(item))?;
                }
                list.end()
            }
            scalar => scalar.serialize(serializer),
        }
    }
}

/// A value as sorted, indented JSON that ends with a newline.
pub fn to_text(value: &Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    Sorted(value).serialize(&mut serializer).expect("a JSON value always serializes into memory");
    bytes.push(b'\n');
    String::from_utf8(bytes).expect("serde_json writes UTF-8")
}

/// A value as sorted JSON without white space: the form to hash or to measure.
pub fn to_compact_text(value: &Value) -> String {
    serde_json::to_string(&Sorted(value)).expect("a JSON value always serializes into memory")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let value = json!({"b": [{"d": 1, "c": null}], "a": "x"});
        assert_eq!(to_compact_text(&value), r#"{"a":"x","b":[{"c":null,"d":1}]}"#);
        assert_eq!(
            to_text(&value),
            "{\n \"a\": \"x\",\n \"b\": [\n  {\n   \"c\": null,\n   \"d\": 1\n  }\n ]\n}\n"
        );
    }
}

//! JSON whose numbers come out as they went in.
//!
//! Metrics are doubles, and a copy has to have the same ones. `serde_json` reads those of 17 digits to the last bit but
//! one, unless a feature is set that would slow down all other readers; the standard library reads them exactly.

use serde_json::{Number, Value};

/// What marks a number that has to be read exactly. No JSON text has this character unescaped.
const MARK: char = '\u{1}';

/// Reads a document.
///
/// # Errors
/// When it is no JSON.
pub(crate) fn read(text: &[u8]) -> Result<Value, serde_json::Error> {
    let Ok(text) = std::str::from_utf8(text) else { return serde_json::from_slice(text) };
    let mut value = serde_json::from_str(&marked(text))?;
    restore(&mut value);
    Ok(value)
}

/// The text with each number that has a fraction or an exponent as a marked string.
fn marked(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text.char_indices().peekable();
    let mut inside = false;
    while let Some((start, character)) = rest.next() {
        match character {
            '"' => inside = !inside,
            '\\' if inside => {
                out.push(character);
                if let Some((_, escaped)) = rest.next() {
                    out.push(escaped);
                }
                continue;
            }
            '-' | '0'..='9' if !inside => {
                let mut end = start + 1;
                while let Some((at, _)) = rest.next_if(|(_, next)| is_of_number(*next)) {
                    end = at + 1;
                }
                let number = &text[start..end];
                if number.contains(['.', 'e', 'E']) {
                    // The escape, since a bare control character is not JSON.
                    out.push_str(&format!("\"\\u0001{number}\""));
                } else {
                    out.push_str(number);
                }
                continue;
            }
            _ => {}
        }
        out.push(character);
    }
    out
}

fn is_of_number(character: char) -> bool {
    matches!(character, '0'..='9' | '.' | 'e' | 'E' | '+' | '-')
}

fn restore(value: &mut Value) {
    match value {
        Value::String(text) => {
            let exact = text.strip_prefix(MARK).and_then(|number| number.parse().ok());
            if let Some(number) = exact.and_then(Number::from_f64) {
                *value = Value::Number(number);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(restore),
        Value::Object(fields) => fields.values_mut().for_each(restore),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_as_they_went_in() {
        for text in
            ["0.12345678901234568", "1.7976931348623157e+308", "-2.2250738585072014e-308", "0.1", "1e5"]
        {
            let value = read(format!("{{\"value\": {text}}}").as_bytes()).unwrap();
            let wanted: f64 = text.parse().unwrap();
            assert_eq!(value["value"].as_f64().map(f64::to_bits), Some(wanted.to_bits()), "{text}");
        }
        let value =
            read(br#"{"a": 1795350047868244802, "b": "1.5 \" 2.5", "c": [-1, 2.5], "d": "NaN", "e": null}"#);
        let value = value.unwrap();
        assert_eq!(value["a"].as_u64(), Some(1_795_350_047_868_244_802));
        assert_eq!((value["b"].as_str(), value["c"][1].as_f64()), (Some("1.5 \" 2.5"), Some(2.5)));
        assert_eq!((value["d"].as_str(), value["c"][0].as_i64()), (Some("NaN"), Some(-1)));
        assert!(read(b"<html>").is_err() && read(b"{\"a\": 1.2.3}").is_ok_and(|it| it["a"].is_string()));
    }

    /// Whether `serde_json` alone reads so too depends on a feature that any other crate may turn on.
    #[test]
    fn every_metric_keeps_its_last_bit() {
        for number in (0..2000_u32).map(|seed| f64::from(seed).sqrt() * 1e-7 + 0.1) {
            let text = format!("{number:.17}");
            assert_eq!(read(text.as_bytes()).unwrap().as_f64(), text.parse().ok(), "{text}");
        }
    }
}

//! Values: literals, text, lists and what folds at once.

use serde_json::json;

use super::{BucketName, Expression, IntoValue, SubnetId, Value, pseudo, select};
use crate::text;

fn strings(value: impl IntoValue<Vec<String>>) -> Value<Vec<String>> {
    value.into_value()
}

#[test]
fn known_text_is_text() {
    assert_eq!(text!("a {} c", "b").as_literal(), Some(json!("a b c")));
    assert_eq!(text!("{{}} {}", "b").as_literal(), Some(json!("{} b")));
    assert_eq!(text!("a {}", pseudo::region()).as_literal(), None);
}

#[test]
fn lists_mix_what_is_known_and_what_is_not() {
    let list = strings(vec![pseudo::region(), "x".into_value()]);
    assert_eq!(list.expression(), &Expression::List(vec![Expression::Pseudo("AWS::Region"), "x".into()]));
    assert_eq!(strings(["a", "b"]).as_literal(), Some(json!(["a", "b"])));
}

#[test]
fn an_id_is_a_string_where_a_string_is_wanted() {
    let name = BucketName::literal("artifacts");
    let text: Value<String> = (&name).into_value();
    assert_eq!(text.as_literal(), Some(json!("artifacts")));
    assert_eq!(SubnetId::literals(["subnet-1", "subnet-2"]).len(), 2);
}

#[test]
fn selecting_from_a_known_list_needs_no_function() {
    let list = strings(["a", "b"]);
    assert_eq!(select::<String>(1, &list).as_literal(), Some(json!("b")));
    assert!(matches!(select::<String>(2, &list).expression(), Expression::Function("Fn::Select", _)));
}

#[test]
fn whole_numbers_have_no_fraction() {
    let number = |value: f64| IntoValue::<f64>::into_value(value).as_literal();
    assert_eq!(number(60.0), Some(json!(60)));
    assert_eq!(number(0.5), Some(json!(0.5)));
}

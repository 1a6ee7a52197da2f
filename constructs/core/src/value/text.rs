//! Text with values in it.

use super::{Expression, Value};

/// The number of `{}` in a pattern; `{{` and `}}` stand for the braces themselves.
pub const fn placeholders(pattern: &str) -> usize {
    let bytes = pattern.as_bytes();
    let mut count = 0;
    let mut index = 0;
    while index + 1 < bytes.len() {
        let pair = (bytes[index], bytes[index + 1]);
        if matches!(pair, (b'{', b'}')) {
            count += 1;
            index += 2;
        } else if matches!(pair, (b'{', b'{') | (b'}', b'}')) {
            index += 2;
        } else {
            index += 1;
        }
    }
    count
}

/// The text that [`crate::text!`] stands for.
pub fn text_from_parts(pattern: &str, values: Vec<Value<String>>) -> Value<String> {
    let mut values = values.into_iter();
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('{', Some('}')) => {
                characters.next();
                if !literal.is_empty() {
                    parts.push(Expression::from(std::mem::take(&mut literal)));
                }
                parts.extend(values.next().map(Value::into_expression));
            }
            ('{', Some('{')) | ('}', Some('}')) => {
                characters.next();
                literal.push(character);
            }
            _ => literal.push(character),
        }
    }
    if !literal.is_empty() {
        parts.push(Expression::from(literal));
    }
    Value::from_expression(Expression::Text(parts))
}

/// Text with values in it: `text!("s3://{}/mlflow", &bucket)` is a `Value<String>`.
///
/// `{}` takes the next value; `{{` and `}}` stand for the braces themselves. The number of values is checked by the
/// compiler. The text becomes a plain string when all values are known, else `Fn::Sub`.
///
/// ```
/// use formwork::{BucketName, text};
/// let uri = text!("s3://{}/mlflow", BucketName::literal("artifacts"));
/// assert_eq!(uri.as_literal(), Some("s3://artifacts/mlflow".into()));
/// ```
#[macro_export]
macro_rules! text {
    ($pattern:literal $(, $value:expr)* $(,)?) => {{
        const { assert!(
            $crate::value::placeholders($pattern) == <[&str]>::len(&[$(stringify!($value)),*]),
            "the pattern needs as many values as it has {{}}"
        ) };
        $crate::value::text_from_parts($pattern, vec![$($crate::IntoValue::<String>::into_value($value)),*])
    }};
}

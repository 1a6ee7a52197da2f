//! Typed values: known now, or known to CloudFormation only when it deploys.
//!
//! `T` says what the value is (`VpcId`, `RoleArn`, `Vec<SubnetId>`, a nested property), so a reference of the wrong kind
//! does not compile. There are no tokens hidden in strings: text with references in it is built with [`text!`].
//!
//! [`text!`]: crate::text

mod expression;
mod functions;
mod kinds;
mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde_json::Value as Json;

pub use expression::{Attribute, Expression};
pub use functions::{
    ConditionExpression, all_of, any_of, availability_zones, base64, cidr, equals, find_in_map,
    find_in_map_or, if_else, import_value, is_not, join, no_value, pseudo, resolve_secret, resolve_ssm,
    resolve_ssm_secure, select, split, stack_output, to_json_string, transform,
};
pub use kinds::*;
#[doc(hidden)]
pub use text::{placeholders, text_from_parts};

/// A value of kind `T` in a template.
pub struct Value<T> {
    expression: Expression,
    kind: PhantomData<fn() -> T>,
}

impl<T> Value<T> {
    /// A value from an untyped expression. The caller vouches for the kind.
    pub fn from_expression(expression: Expression) -> Self {
        Self { expression, kind: PhantomData }
    }

    /// The untyped expression.
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// The untyped expression, taken.
    pub fn into_expression(self) -> Expression {
        self.expression
    }

    /// The same value under another kind. For the places where CloudFormation's types know less than the author does,
    /// such as a `String` attribute that holds an ARN.
    #[must_use]
    pub fn retype<U>(&self) -> Value<U> {
        Value::from_expression(self.expression.clone())
    }

    /// The same value where any JSON is accepted, such as inside a policy document.
    #[must_use]
    pub fn any(&self) -> Value<Json> {
        self.retype()
    }

    /// The literal, when nothing in the value waits for CloudFormation.
    pub fn as_literal(&self) -> Option<Json> {
        self.expression.as_literal()
    }
}

impl<T> Clone for Value<T> {
    fn clone(&self) -> Self {
        Self::from_expression(self.expression.clone())
    }
}

impl<T> PartialEq for Value<T> {
    fn eq(&self, other: &Self) -> bool {
        self.expression == other.expression
    }
}

impl<T> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)
    }
}

/// What can stand where a value of kind `T` is wanted.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `{T}`",
    label = "expected `{T}`, or a reference that yields one",
    note = "an id of something that exists already is written `VpcId::literal(\"vpc-…\")`; `.retype()` vouches for another kind"
)]
pub trait IntoValue<T> {
    /// The value.
    fn into_value(self) -> Value<T>;
}

impl<T> IntoValue<T> for Value<T> {
    fn into_value(self) -> Value<T> {
        self
    }
}

impl<T> IntoValue<T> for &Value<T> {
    fn into_value(self) -> Value<T> {
        self.clone()
    }
}

fn literal<T>(json: impl Into<Json>) -> Value<T> {
    Value::from_expression(Expression::Literal(json.into()))
}

impl IntoValue<String> for &str {
    fn into_value(self) -> Value<String> {
        literal(self)
    }
}

impl IntoValue<String> for String {
    fn into_value(self) -> Value<String> {
        literal(self)
    }
}

impl IntoValue<String> for &String {
    fn into_value(self) -> Value<String> {
        literal(self.as_str())
    }
}

impl IntoValue<bool> for bool {
    fn into_value(self) -> Value<bool> {
        literal(self)
    }
}

impl IntoValue<i64> for i64 {
    fn into_value(self) -> Value<i64> {
        literal(self)
    }
}

impl IntoValue<f64> for f64 {
    /// A whole number is written without a fraction, as every other program writes it.
    fn into_value(self) -> Value<f64> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if self.fract() == 0.0 && self.abs() < EXACT {
            #[allow(clippy::cast_possible_truncation, reason = "a whole number of less than 2^53")]
            return literal(self as i64);
        }
        literal(self)
    }
}

impl IntoValue<f64> for i64 {
    fn into_value(self) -> Value<f64> {
        literal(self)
    }
}

impl IntoValue<Json> for Json {
    fn into_value(self) -> Value<Json> {
        literal(self)
    }
}

fn list<T, X: IntoValue<T>>(items: impl IntoIterator<Item = X>) -> Value<Vec<T>> {
    let items = items.into_iter().map(|item| item.into_value().into_expression()).collect();
    Value::from_expression(Expression::List(items))
}

impl<T, X: IntoValue<T>> IntoValue<Vec<T>> for Vec<X> {
    fn into_value(self) -> Value<Vec<T>> {
        list(self)
    }
}

impl<T, X: IntoValue<T>, const N: usize> IntoValue<Vec<T>> for [X; N] {
    fn into_value(self) -> Value<Vec<T>> {
        list(self)
    }
}

impl<T, X: Clone + IntoValue<T>> IntoValue<Vec<T>> for &[X] {
    fn into_value(self) -> Value<Vec<T>> {
        list(self.iter().cloned())
    }
}

impl<T, X: Clone + IntoValue<T>> IntoValue<Vec<T>> for &Vec<X> {
    fn into_value(self) -> Value<Vec<T>> {
        list(self.iter().cloned())
    }
}

fn object<T, X: IntoValue<T>>(fields: impl IntoIterator<Item = (String, X)>) -> Value<BTreeMap<String, T>> {
    let fields =
        fields.into_iter().map(|(name, field)| (name, field.into_value().into_expression())).collect();
    Value::from_expression(Expression::Object(fields))
}

impl<T, X: IntoValue<T>> IntoValue<BTreeMap<String, T>> for BTreeMap<String, X> {
    fn into_value(self) -> Value<BTreeMap<String, T>> {
        object(self)
    }
}

impl<T, X: IntoValue<T>, const N: usize> IntoValue<BTreeMap<String, T>> for [(&str, X); N] {
    fn into_value(self) -> Value<BTreeMap<String, T>> {
        object(self.into_iter().map(|(name, field)| (name.to_owned(), field)))
    }
}

#[cfg(test)]
mod tests;

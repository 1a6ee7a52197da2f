//! CloudFormation's functions over typed values.
//!
//! Source: AWS CloudFormation Template Reference, "Intrinsic functions" and "Pseudo parameters".

use std::borrow::Cow;

use serde_json::Value as Json;

use super::{Expression, IntoValue, Value};
use crate::stack::{Condition, Mapping};

fn function<T>(name: &'static str, argument: Expression) -> Value<T> {
    Value::from_expression(Expression::Function(name, Box::new(argument)))
}

/// The pseudo parameters: values that CloudFormation knows about the deployment itself.
pub mod pseudo {
    use super::{Expression, Value};

    macro_rules! pseudo_parameters {
        ($($(#[doc = $doc:literal])+ $name:ident $full:literal $kind:ty;)*) => { $(
            $(#[doc = $doc])+
            pub fn $name() -> Value<$kind> {
                Value::from_expression(Expression::Pseudo($full))
            }
        )* };
    }

    pseudo_parameters! {
        /// The id of the account that the stack is in, 12 digits.
        account_id "AWS::AccountId" String;
        /// The region that the stack is in, such as `us-east-1`.
        region "AWS::Region" String;
        /// The partition that the region belongs to, such as `aws` or `aws-us-gov`.
        partition "AWS::Partition" String;
        /// The domain of the partition's endpoints, such as `amazonaws.com`.
        url_suffix "AWS::URLSuffix" String;
        /// The name of the stack.
        stack_name "AWS::StackName" String;
        /// The ARN of the stack.
        stack_id "AWS::StackId" String;
        /// The ARNs of the stack's notification topics.
        notification_arns "AWS::NotificationARNs" Vec<String>;
    }
}

/// `AWS::NoValue`: the property is left out.
pub fn no_value<T>() -> Value<T> {
    Value::from_expression(Expression::Pseudo("AWS::NoValue"))
}

/// `Fn::If`: one of two values by a condition.
pub fn if_else<T>(condition: Condition, then: impl IntoValue<T>, otherwise: impl IntoValue<T>) -> Value<T> {
    Value::from_expression(Expression::If {
        condition: condition.node(),
        then: Box::new(then.into_value().into_expression()),
        otherwise: Box::new(otherwise.into_value().into_expression()),
    })
}

/// `Fn::Join`: the texts with a delimiter between them.
pub fn join(delimiter: &str, values: impl IntoValue<Vec<String>>) -> Value<String> {
    let values = values.into_value().into_expression();
    function("Fn::Join", Expression::List(vec![delimiter.into(), values]))
}

/// `Fn::Select`: one item of a list, counted from 0.
pub fn select<T>(index: u32, list: impl IntoValue<Vec<T>>) -> Value<T> {
    let list = list.into_value().into_expression();
    if let Expression::List(items) = &list
        && let Some(item) = items.get(index as usize)
    {
        return Value::from_expression(item.clone());
    }
    function("Fn::Select", Expression::List(vec![Expression::Literal(index.into()), list]))
}

/// `Fn::Split`: the pieces of a text between delimiters.
pub fn split(delimiter: &str, value: impl IntoValue<String>) -> Value<Vec<String>> {
    function("Fn::Split", Expression::List(vec![delimiter.into(), value.into_value().into_expression()]))
}

/// `Fn::GetAZs`: the availability zones of the stack's region.
pub fn availability_zones() -> Value<Vec<String>> {
    function("Fn::GetAZs", pseudo::region().into_expression())
}

/// `Fn::Cidr`: `count` blocks out of an address block, each with `bits` host bits (a /24 has 8).
pub fn cidr(block: impl IntoValue<String>, count: u16, bits: u8) -> Value<Vec<String>> {
    let bits = Expression::from(bits.to_string());
    let count = Expression::Literal(count.into());
    function("Fn::Cidr", Expression::List(vec![block.into_value().into_expression(), count, bits]))
}

/// `Fn::Base64`: the text in base 64.
pub fn base64(value: impl IntoValue<String>) -> Value<String> {
    function("Fn::Base64", value.into_value().into_expression())
}

/// `Fn::ImportValue`: the value that another stack of the account and region exports under a name.
///
/// Values of a stack of the same app need no call: used elsewhere, they are exported and imported by themselves.
pub fn import_value(name: impl IntoValue<String>) -> Value<String> {
    function("Fn::ImportValue", name.into_value().into_expression())
}

/// `Fn::GetStackOutput`: an output of another stack, in another region when `region` names one.
///
/// Unlike an import it does not keep the other stack from changing the output.
pub fn stack_output(stack_name: impl IntoValue<String>, output: &str, region: Option<&str>) -> Value<String> {
    let mut argument = std::collections::BTreeMap::from([
        ("StackName".to_owned(), stack_name.into_value().into_expression()),
        ("OutputName".to_owned(), output.into()),
    ]);
    if let Some(region) = region {
        argument.insert("Region".to_owned(), region.into());
    }
    function("Fn::GetStackOutput", Expression::Object(argument))
}

/// `Fn::FindInMap`: a value of a mapping.
pub fn find_in_map<T>(
    mapping: Mapping,
    key: impl IntoValue<String>,
    name: impl IntoValue<String>,
) -> Value<T> {
    find(mapping, key.into_value(), name.into_value(), None)
}

/// `Fn::FindInMap` with a value for keys that are not there; CloudFormation wants the transform
/// `AWS::LanguageExtensions` for it.
pub fn find_in_map_or<T>(
    mapping: Mapping,
    key: impl IntoValue<String>,
    name: impl IntoValue<String>,
    default: impl IntoValue<T>,
) -> Value<T> {
    find(mapping, key.into_value(), name.into_value(), Some(Box::new(default.into_value().into_expression())))
}

fn find<T>(
    mapping: Mapping,
    key: Value<String>,
    name: Value<String>,
    default: Option<Box<Expression>>,
) -> Value<T> {
    let keys = Box::new([key.into_expression(), name.into_expression()]);
    Value::from_expression(Expression::FindInMap { mapping: mapping.node(), keys, default })
}

/// `Fn::Transform`: what a macro makes of its parameters.
pub fn transform(macro_name: &str, parameters: impl IntoValue<Json>) -> Value<Json> {
    let argument = std::collections::BTreeMap::from([
        ("Name".to_owned(), Expression::from(macro_name)),
        ("Parameters".to_owned(), parameters.into_value().into_expression()),
    ]);
    function("Fn::Transform", Expression::Object(argument))
}

/// `Fn::ToJsonString`: a value as the text of its JSON; CloudFormation wants the transform `AWS::LanguageExtensions`.
pub fn to_json_string(value: impl IntoValue<Json>) -> Value<String> {
    function("Fn::ToJsonString", value.into_value().into_expression())
}

/// A dynamic reference to an SSM parameter of type `String` or `StringList`; without a version the newest is read.
pub fn resolve_ssm(name: &str, version: Option<u64>) -> Value<String> {
    dynamic("ssm", name, version)
}

/// A dynamic reference to an SSM parameter of type `SecureString`. CloudFormation takes it in a few properties only.
pub fn resolve_ssm_secure(name: &str, version: Option<u64>) -> Value<String> {
    dynamic("ssm-secure", name, version)
}

fn dynamic(service: &str, name: &str, version: Option<u64>) -> Value<String> {
    let version = version.map_or(String::new(), |version| format!(":{version}"));
    Value::from_expression(Expression::from(format!("{{{{resolve:{service}:{name}{version}}}}}")))
}

/// A dynamic reference to a secret in Secrets Manager: the whole text, or the value under a key of its JSON.
///
/// CloudFormation puts the secret in clear text wherever the property goes. A task's environment or a user data script
/// is no place for it: name the secret there and let the program read it.
pub fn resolve_secret(secret: impl IntoValue<String>, json_key: Option<&str>) -> Value<String> {
    let tail: Cow<'static, str> = match json_key {
        Some(key) => format!(":SecretString:{key}}}}}").into(),
        None => ":SecretString}}".into(),
    };
    let parts = vec![
        "{{resolve:secretsmanager:".into(),
        secret.into_value().into_expression(),
        tail.into_owned().into(),
    ];
    Value::from_expression(Expression::Text(parts))
}

/// A condition before it has a name; see [`ConditionExpression::define`].
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionExpression(pub(crate) Expression);

impl From<Condition> for ConditionExpression {
    fn from(condition: Condition) -> Self {
        Self(Expression::Condition(condition.node()))
    }
}

fn condition(name: &'static str, operands: Vec<Expression>) -> ConditionExpression {
    ConditionExpression(Expression::Function(name, Box::new(Expression::List(operands))))
}

/// `Fn::Equals`: whether two texts are the same.
pub fn equals(left: impl IntoValue<String>, right: impl IntoValue<String>) -> ConditionExpression {
    condition("Fn::Equals", vec![left.into_value().into_expression(), right.into_value().into_expression()])
}

/// `Fn::And`: whether all conditions hold. CloudFormation takes 2 to 10 of them.
pub fn all_of<I: IntoIterator<Item: Into<ConditionExpression>>>(conditions: I) -> ConditionExpression {
    condition("Fn::And", conditions.into_iter().map(|one| one.into().0).collect())
}

/// `Fn::Or`: whether any condition holds. CloudFormation takes 2 to 10 of them.
pub fn any_of<I: IntoIterator<Item: Into<ConditionExpression>>>(conditions: I) -> ConditionExpression {
    condition("Fn::Or", conditions.into_iter().map(|one| one.into().0).collect())
}

/// `Fn::Not`: whether a condition does not hold.
pub fn is_not(operand: impl Into<ConditionExpression>) -> ConditionExpression {
    condition("Fn::Not", vec![operand.into().0])
}

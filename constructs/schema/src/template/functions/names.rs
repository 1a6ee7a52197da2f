//! Which functions there are, and which may stand inside which.

/// All functions, conditions and rules included.
pub(super) const ALL: &[&str] = &[
    "Condition",
    "Fn::And",
    "Fn::Base64",
    "Fn::Cidr",
    "Fn::Contains",
    "Fn::EachMemberEquals",
    "Fn::EachMemberIn",
    "Fn::Equals",
    "Fn::FindInMap",
    "Fn::GetAZs",
    "Fn::GetAtt",
    "Fn::GetStackOutput",
    "Fn::If",
    "Fn::Implies",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Length",
    "Fn::Not",
    "Fn::Or",
    "Fn::RefAll",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
    "Fn::ToJsonString",
    "Fn::Transform",
    "Fn::ValueOf",
    "Fn::ValueOfAll",
    "Ref",
];

/// In a property, in metadata, in the value of an output.
pub(super) const VALUE: &[&str] = &[
    "Fn::Base64",
    "Fn::Cidr",
    "Fn::Contains",
    "Fn::FindInMap",
    "Fn::GetAZs",
    "Fn::GetAtt",
    "Fn::GetStackOutput",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Length",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
    "Fn::ToJsonString",
    "Fn::Transform",
    "Ref",
];

/// In the name of an export.
pub(super) const EXPORT: &[&str] = &[
    "Fn::Base64",
    "Fn::FindInMap",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
    "Fn::Transform",
    "Ref",
    "Fn::Length",
    "Fn::ToJsonString",
    "Fn::Cidr",
    "Fn::Contains",
    "Fn::GetAZs",
    "Fn::GetAtt",
];

/// In a deletion or replacement policy.
pub(super) const POLICY: &[&str] = &["Fn::FindInMap", "Fn::If", "Fn::Select", "Fn::Sub", "Ref"];

/// In a condition.
pub(super) const CONDITION: &[&str] = &["Condition", "Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"];

/// In a rule.
pub(super) const RULE: &[&str] = &[
    "Condition",
    "Fn::And",
    "Fn::Contains",
    "Fn::EachMemberEquals",
    "Fn::EachMemberIn",
    "Fn::Equals",
    "Fn::Implies",
    "Fn::Not",
    "Fn::Or",
    "Fn::RefAll",
    "Fn::ValueOf",
    "Fn::ValueOfAll",
];

/// In a side of `Fn::Equals`.
pub(super) const EQUALS: &[&str] = &[
    "Fn::FindInMap",
    "Fn::Join",
    "Fn::Length",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
    "Fn::ToJsonString",
    "Ref",
];

/// In a list or a value that a rule compares.
pub(super) const RULE_VALUE: &[&str] = &[
    "Fn::FindInMap",
    "Fn::Join",
    "Fn::RefAll",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
    "Fn::ValueOf",
    "Fn::ValueOfAll",
    "Ref",
];

pub(super) const BASE64: &[&str] = &[
    "Fn::Base64",
    "Fn::Cidr",
    "Fn::Contains",
    "Fn::FindInMap",
    "Fn::GetAtt",
    "Fn::GetStackOutput",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Length",
    "Fn::Select",
    "Fn::Sub",
    "Fn::ToJsonString",
    "Ref",
];

pub(super) const CIDR: &[&str] =
    &["Fn::FindInMap", "Fn::GetAtt", "Fn::If", "Fn::ImportValue", "Fn::Select", "Fn::Sub", "Ref"];

pub(super) const FIND_IN_MAP: &[&str] = &["Fn::FindInMap", "Ref"];

pub(super) const GET_AZS: &[&str] = &["Fn::GetAtt", "Fn::If", "Fn::Join", "Fn::Select", "Fn::Sub", "Ref"];

pub(super) const IMPORT_VALUE: &[&str] =
    &["Fn::Base64", "Fn::FindInMap", "Fn::If", "Fn::Join", "Fn::Select", "Fn::Sub", "Ref"];

pub(super) const GET_STACK_OUTPUT: &[&str] = &[
    "Fn::Base64",
    "Fn::FindInMap",
    "Fn::GetAtt",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Select",
    "Fn::Sub",
    "Ref",
];

/// In place of the list of `Fn::Join`.
pub(super) const JOIN_LIST: &[&str] =
    &["Fn::Cidr", "Fn::FindInMap", "Fn::GetAZs", "Fn::GetAtt", "Fn::If", "Fn::Split", "Ref"];

/// In an item of the list of `Fn::Join`.
pub(super) const JOIN_ITEM: &[&str] = &[
    "Fn::Base64",
    "Fn::FindInMap",
    "Fn::GetAtt",
    "Fn::GetStackOutput",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Select",
    "Fn::Sub",
    "Ref",
];

pub(super) const SELECT_INDEX: &[&str] = &["Fn::FindInMap", "Ref"];

/// In place of the list of `Fn::Select`.
pub(super) const SELECT_LIST: &[&str] =
    &["Fn::Cidr", "Fn::FindInMap", "Fn::GetAZs", "Fn::GetAtt", "Fn::If", "Fn::Split", "Ref"];

/// In an item of the list of `Fn::Select`.
pub(super) const SELECT_ITEM: &[&str] =
    &["Fn::FindInMap", "Fn::GetAtt", "Fn::GetStackOutput", "Fn::If", "Ref"];

pub(super) const SPLIT: &[&str] = &[
    "Fn::Base64",
    "Fn::FindInMap",
    "Fn::GetAZs",
    "Fn::GetAtt",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Select",
    "Fn::Sub",
    "Ref",
];

/// In a variable of `Fn::Sub`.
pub(super) const SUB_VARIABLE: &[&str] = &[
    "Fn::Base64",
    "Fn::FindInMap",
    "Fn::GetAZs",
    "Fn::GetAtt",
    "Fn::GetStackOutput",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Select",
    "Fn::Sub",
    "Fn::ToJsonString",
    "Ref",
];

/// Functions that only this transform brings.
pub(super) const NEED_LANGUAGE_EXTENSIONS: &[&str] = &["Fn::Length", "Fn::ToJsonString"];

/// Functions that this transform allows inside the others, beyond their own lists.
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-aws-languageextensions.html>.
pub(super) const WITH_LANGUAGE_EXTENSIONS: &[&str] = &[
    "Fn::Base64",
    "Fn::FindInMap",
    "Fn::If",
    "Fn::Join",
    "Fn::Length",
    "Fn::Select",
    "Fn::Sub",
    "Fn::ToJsonString",
    "Ref",
];

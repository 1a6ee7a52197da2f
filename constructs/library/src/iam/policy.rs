//! Policy documents out of statements over typed values.
//!
//! Source: AWS IAM User Guide, "IAM JSON policy elements reference".

use std::collections::BTreeMap;

use formwork::{Diagnostic, Expression, IntoValue, Json, Properties, RoleArn, Value};

/// The version of the policy language.
const LANGUAGE_VERSION: &str = "2012-10-17";

/// Whether a statement allows or denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The actions are allowed.
    Allow,
    /// The actions are denied, whatever else allows them.
    Deny,
}

/// Whom a statement of a resource's or role's policy is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Principal {
    /// An AWS service, such as `sagemaker.amazonaws.com`.
    Service(&'static str),
    /// A role.
    Role(Value<RoleArn>),
    /// An account, by the ARN of its root.
    Account(Value<String>),
    /// A user, a role or an account, by ARN.
    Named(Value<String>),
    /// Anyone. Only for statements that deny, or that conditions narrow.
    Anyone,
}

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Statement {
    effect: Effect,
    sid: Option<String>,
    principals: Vec<Principal>,
    actions: Vec<String>,
    resources: Vec<Expression>,
    /// Why the statement is about every resource, when it is.
    any_resource: Option<&'static str>,
    conditions: BTreeMap<String, BTreeMap<String, Expression>>,
}

impl Statement {
    /// A statement that allows actions.
    pub fn allow<'a>(actions: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(Effect::Allow, actions)
    }

    /// A statement that denies actions.
    pub fn deny<'a>(actions: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(Effect::Deny, actions)
    }

    fn new<'a>(effect: Effect, actions: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            effect,
            sid: None,
            principals: Vec::new(),
            actions: actions.into_iter().map(str::to_owned).collect(),
            resources: Vec::new(),
            any_resource: None,
            conditions: BTreeMap::new(),
        }
    }

    /// Names the statement: letters and digits.
    pub fn sid(mut self, sid: &str) -> Self {
        self.sid = Some(sid.to_owned());
        self
    }

    /// Adds a resource that the statement is about, by ARN.
    pub fn on(mut self, resource: impl IntoValue<String>) -> Self {
        self.resources.push(resource.into_value().into_expression());
        self
    }

    /// Says that the statement is about every resource, because its actions cannot be limited to one. The reason is for
    /// the reader of the code.
    pub fn on_any_resource(mut self, reason: &'static str) -> Self {
        self.any_resource = Some(reason);
        self.on("*")
    }

    /// Adds somebody whom the statement is about; for policies of resources and for trust policies.
    pub fn principal(mut self, principal: Principal) -> Self {
        self.principals.push(principal);
        self
    }

    /// Adds a condition: an operator such as `StringEquals`, a key such as `aws:SourceAccount`, and the wanted value.
    pub fn when(mut self, operator: &str, key: &str, value: impl IntoValue<String>) -> Self {
        self.add_condition(operator, key, value.into_value().into_expression());
        self
    }

    /// Adds a condition with several values, of which one has to match.
    pub fn when_any(mut self, operator: &str, key: &str, values: impl IntoValue<Vec<String>>) -> Self {
        self.add_condition(operator, key, values.into_value().into_expression());
        self
    }

    fn add_condition(&mut self, operator: &str, key: &str, value: Expression) {
        self.conditions.entry(operator.to_owned()).or_default().insert(key.to_owned(), value);
    }

    /// Whether the statement allows something on every resource without saying why. What CloudFormation refuses is found
    /// by synth.
    fn mistake(&self) -> Option<Diagnostic> {
        let bare_wildcard = self.effect == Effect::Allow
            && self.resources.contains(&Expression::from("*"))
            && self.any_resource.is_none_or(str::is_empty);
        bare_wildcard.then(|| {
            let message =
                format!("the policy statement for {} is about every resource", self.actions.join(", "));
            let hint =
                "name the resource by `.on(arn)`, or say by `.on_any_resource(\"…\")` why it cannot be named";
            Diagnostic::error("policy-wildcard", message).with_hint(hint)
        })
    }

    fn into_expression(self) -> Expression {
        let effect = match self.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        let mut statement = Properties::new().with("Effect", effect);
        if let Some(sid) = &self.sid {
            statement = statement.with("Sid", sid);
        }
        let mut actions = self.actions;
        actions.sort();
        actions.dedup();
        statement.put("Action", one_or_list(actions.into_iter().map(Expression::from).collect()));
        if !self.principals.is_empty() {
            statement.put("Principal", principals(self.principals));
        }
        if !self.resources.is_empty() {
            statement.put("Resource", one_or_list(self.resources));
        }
        if !self.conditions.is_empty() {
            let conditions = self
                .conditions
                .into_iter()
                .map(|(operator, keys)| (operator, Expression::Object(keys)))
                .collect();
            statement.put("Condition", Expression::Object(conditions));
        }
        statement.into()
    }
}

fn one_or_list(mut items: Vec<Expression>) -> Expression {
    if items.len() == 1 { items.remove(0) } else { Expression::List(items) }
}

fn principals(principals: Vec<Principal>) -> Expression {
    let mut by_kind: BTreeMap<String, Vec<Expression>> = BTreeMap::new();
    for principal in principals {
        let (kind, value) = match principal {
            Principal::Anyone => return Expression::from("*"),
            Principal::Service(name) => ("Service", Expression::from(name)),
            Principal::Role(arn) => ("AWS", arn.into_expression()),
            Principal::Account(arn) | Principal::Named(arn) => ("AWS", arn.into_expression()),
        };
        by_kind.entry(kind.to_owned()).or_default().push(value);
    }
    Expression::Object(by_kind.into_iter().map(|(kind, values)| (kind, one_or_list(values))).collect())
}

/// A policy document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicyDocument {
    statements: Vec<Statement>,
}

impl PolicyDocument {
    /// A document of statements.
    pub fn new(statements: impl IntoIterator<Item = Statement>) -> Self {
        Self { statements: statements.into_iter().collect() }
    }

    /// The document with one more statement.
    #[must_use]
    pub fn with(mut self, statement: Statement) -> Self {
        self.statements.push(statement);
        self
    }

    /// What is wrong with the document as a policy of a role.
    pub(super) fn mistakes(&self) -> impl Iterator<Item = Diagnostic> {
        self.statements.iter().filter_map(Statement::mistake)
    }

    /// The characters that IAM counts, about.
    pub(super) fn characters(&self) -> usize {
        super::size::characters(self.clone().into_value().expression())
    }

    /// Whether there is no statement in it.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }
}

impl IntoValue<Json> for PolicyDocument {
    fn into_value(self) -> Value<Json> {
        let statements = self.statements.into_iter().map(Statement::into_expression).collect();
        let mut document = Properties::new().with("Version", LANGUAGE_VERSION);
        document.put("Statement", Expression::List(statements));
        document.into_value()
    }
}

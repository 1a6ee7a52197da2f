//! What protocols and services tell each other: a parsed call in, a document or an error out.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

/// A request as it arrives.
pub type Request = http::Request<Bytes>;

/// What is done with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It is answered, after a while.
    Answer {
        /// The answer.
        response: http::Response<Bytes>,
        /// How long the answer takes.
        after: Duration,
    },
    /// The connection is closed without an answer, after a while.
    Broken {
        /// How long it takes.
        after: Duration,
    },
    /// Nothing ever comes.
    Silent,
}

/// The parameters of a call in the AWS Query protocol: `Tags.member.1.Key` and such, flat as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// The parameters by name.
    pub fn new(values: BTreeMap<String, String>) -> Self {
        Self(values)
    }

    /// A value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A value that has to be there.
    ///
    /// # Errors
    /// A validation error as the services word it.
    pub fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| ApiError::validation(format!("{name} must not be null")))
    }

    /// Whether a value is `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// The texts of a list, in order.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.members(name).filter_map(|member| self.get(&member)).collect()
    }

    /// The members of a list of structures, in order.
    pub fn structures(&self, name: &str) -> Vec<Parameters> {
        self.members(name).map(|member| self.within(&member)).take_while(|it| !it.0.is_empty()).collect()
    }

    /// What stands under a structure's name, without that name.
    #[must_use]
    pub fn within(&self, name: &str) -> Parameters {
        let prefix = format!("{name}.");
        let inner = self.0.iter().filter_map(|(key, value)| {
            key.strip_prefix(&prefix).map(|rest| (rest.to_owned(), value.clone()))
        });
        Self(inner.collect())
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The texts of a list in EC2's form, `VpcId.1` and so on.
    pub fn numbered(&self, name: &str) -> Vec<&str> {
        (1..=self.0.len()).map_while(|index| self.get(&format!("{name}.{index}"))).collect()
    }

    /// EC2's filters: names and the values that each takes.
    pub fn filters(&self) -> Vec<(&str, Vec<&str>)> {
        let filter = |index| {
            let name = self.get(&format!("Filter.{index}.Name"))?;
            Some((name, self.numbered(&format!("Filter.{index}.Value"))))
        };
        (1..=self.0.len()).map_while(filter).collect()
    }

    fn members(&self, name: &str) -> impl Iterator<Item = String> {
        let given = self.0.keys().any(|key| key.starts_with(&format!("{name}.member.")));
        let count = if given { self.0.len() } else { 0 };
        let name = name.to_owned();
        (1..=count).map(move |index| format!("{name}.member.{index}"))
    }
}

/// An error as a service answers it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The code, such as `ValidationError`.
    pub code: String,
    /// The message.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
}

impl ApiError {
    /// An error of the caller, status 400.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), status: 400 }
    }

    /// `ValidationError`, CloudFormation's word for nearly everything.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationError", message)
    }

    /// Another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}

/// An element of an XML answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The name.
    pub name: String,
    /// What it holds.
    pub content: Content,
}

/// What an element holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text; the writer escapes it.
    Text(String),
    /// Elements.
    Elements(Vec<Element>),
}

impl Element {
    /// An element with text.
    pub fn text(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.to_owned(), content: Content::Text(text.into()) }
    }

    /// An element with elements.
    pub fn of(name: &str, elements: impl IntoIterator<Item = Element>) -> Self {
        Self { name: name.to_owned(), content: Content::Elements(elements.into_iter().collect()) }
    }

    /// A list in the form of the Query protocol: each item as `<member>`.
    pub fn list(name: &str, items: impl IntoIterator<Item = Content>) -> Self {
        Self::of(name, items.into_iter().map(|content| Self { name: "member".to_owned(), content }))
    }
}

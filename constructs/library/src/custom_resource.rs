//! Custom resources: a resource whose life is in the hands of a function.

use std::borrow::Cow;

use formwork::{CfnResource, IntoValue, Resource, ResourceId, Scope};

use crate::function::Function;

/// A resource that a function makes, changes and deletes, before it is defined.
#[derive(Debug)]
#[must_use = "a resource is in no template until it is defined"]
pub struct CustomResource(CfnResource);

impl CustomResource {
    /// A resource of a type such as `Custom::MlflowApp`, carried out by a function. It waits for what the function needs
    /// to run and log, which is then also there at its deletion.
    pub fn new(type_name: &'static str, function: &Function) -> Self {
        let resource = CfnResource::new(type_name).property::<String>("ServiceToken", &function.arn);
        Self(resource.depends_on(function.ready))
    }

    /// How many seconds CloudFormation waits for the function's answer: 1 to 3,600.
    pub fn service_timeout(self, seconds: i64) -> Self {
        self.property::<i64>("ServiceTimeout", seconds)
    }

    /// Sets a property. Whatever its kind, the function gets text, or lists and maps of texts.
    pub fn property<T>(mut self, name: impl Into<Cow<'static, str>>, value: impl IntoValue<T>) -> Self {
        self.0 = self.0.property(name, value);
        self
    }

    /// Puts the resource into the tree. `Ref` gives its physical id; the attributes are what the function answers.
    #[track_caller]
    pub fn define(self, scope: Scope<'_>, id: &str) -> ResourceId {
        self.0.define(scope, id)
    }
}

impl Resource for CustomResource {
    fn declaration(&mut self) -> &mut CfnResource {
        &mut self.0
    }
}

//! The macros in whose tables generated resources are written.
//!
//! A table reads like the facts it comes from, and keeps the generated crates small to read and quick to build: setters
//! are generic, so those that an app does not call are never compiled.

/// A typed resource: its builder with a setter for each property, and the attributes that it has once defined.
#[macro_export]
macro_rules! cfn_resource {
    (
        $(#[$meta:meta])*
        $builder:ident => $attributes:ident = $type_name:literal
        required { $($(#[$required_meta:meta])* $required:ident $required_name:literal: $required_kind:ty,)* }
        optional { $($(#[$optional_meta:meta])* $optional:ident $optional_name:literal: $optional_kind:ty,)* }
        attributes { $($attribute:ident $attribute_name:literal: $attribute_kind:ty,)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        #[must_use = "a resource is in no template until it is defined"]
        pub struct $builder($crate::CfnResource);

        impl $builder {
            /// The resource with the properties that CloudFormation requires.
            $(#[doc = concat!("\nSets `", $required_name, "`.")] $(#[$required_meta])*)*
            #[inline]
            pub fn new($($required: impl $crate::IntoValue<$required_kind>),*) -> Self {
                #[allow(unused_mut)]
                let mut resource = $crate::CfnResource::new($type_name);
                $(resource.put($required_name, $crate::IntoValue::<$required_kind>::into_value($required).into_expression());)*
                Self(resource)
            }

            $(
                #[doc = concat!("Sets `", $optional_name, "`.\n")]
                $(#[$optional_meta])*
                pub fn $optional(mut self, value: impl $crate::IntoValue<$optional_kind>) -> Self {
                    self.0.put($optional_name, value.into_value().into_expression());
                    self
                }
            )*

            /// Puts the resource into the tree.
            #[inline]
            #[track_caller]
            pub fn define(self, scope: $crate::Scope<'_>, id: &str) -> $attributes {
                $attributes(self.0.define(scope, id))
            }
        }

        impl $crate::Resource for $builder {
            #[inline]
            fn declaration(&mut self) -> &mut $crate::CfnResource {
                &mut self.0
            }
        }

        #[doc = concat!("What is known of a defined [`", stringify!($builder), "`].")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $attributes($crate::ResourceId);

        impl $attributes {
            /// The resource itself, to depend on or to change.
            #[inline]
            pub fn resource(self) -> $crate::ResourceId {
                self.0
            }

            $(
                #[doc = concat!("`", $attribute_name, "` of the resource.")]
                #[inline]
                pub fn $attribute(self) -> $crate::Value<$attribute_kind> {
                    self.0.attribute($attribute_name)
                }
            )*
        }

        impl From<$attributes> for $crate::Dependency {
            #[inline]
            fn from(attributes: $attributes) -> Self {
                attributes.0.into()
            }
        }
    };
}

/// A nested property: a setter for each field.
#[macro_export]
macro_rules! cfn_property {
    (
        $(#[$meta:meta])*
        $name:ident
        required { $($(#[$required_meta:meta])* $required:ident $required_name:literal: $required_kind:ty,)* }
        optional { $($(#[$optional_meta:meta])* $optional:ident $optional_name:literal: $optional_kind:ty,)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[must_use]
        pub struct $name($crate::Properties);

        impl $name {
            /// The property with the fields that CloudFormation requires.
            $(#[doc = concat!("\nSets `", $required_name, "`.")] $(#[$required_meta])*)*
            #[inline]
            #[allow(clippy::new_without_default, reason = "a property without required fields is still written `new()`")]
            pub fn new($($required: impl $crate::IntoValue<$required_kind>),*) -> Self {
                #[allow(unused_mut)]
                let mut properties = $crate::Properties::new();
                $(properties.put($required_name, $crate::IntoValue::<$required_kind>::into_value($required).into_expression());)*
                Self(properties)
            }

            $(
                #[doc = concat!("Sets `", $optional_name, "`.\n")]
                $(#[$optional_meta])*
                pub fn $optional(mut self, value: impl $crate::IntoValue<$optional_kind>) -> Self {
                    self.0.put($optional_name, value.into_value().into_expression());
                    self
                }
            )*

            /// Sets a field to JSON as it is.
            pub fn raw(mut self, name: &'static str, value: impl $crate::IntoValue<$crate::Json>) -> Self {
                self.0.put(name, value.into_value().into_expression());
                self
            }
        }

        impl $crate::IntoValue<$name> for $name {
            #[inline]
            fn into_value(self) -> $crate::Value<$name> {
                $crate::Value::from_expression(self.0.into())
            }
        }
    };
}

/// A set of texts that CloudFormation takes somewhere. It is open: [`other`] takes a text that AWS added since.
///
/// [`other`]: crate::cfn_values
#[macro_export]
macro_rules! cfn_values {
    ($(#[$meta:meta])* $name:ident { $($constant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(::std::borrow::Cow<'static, str>);

        impl $name {
            $(
                #[doc = concat!("`", $text, "`.")]
                pub const $constant: Self = Self(::std::borrow::Cow::Borrowed($text));
            )*

            /// A text that this version does not know yet.
            pub fn other(text: impl Into<String>) -> Self {
                Self(::std::borrow::Cow::Owned(text.into()))
            }

            /// The text.
            #[inline]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl $crate::IntoValue<$name> for $name {
            #[inline]
            fn into_value(self) -> $crate::Value<$name> {
                $crate::Value::from_expression(self.0.into_owned().into())
            }
        }
    };
}

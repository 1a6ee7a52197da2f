//! Functions in the template.

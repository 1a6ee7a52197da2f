//! Managed MLflow in the template.

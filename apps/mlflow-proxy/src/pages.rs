//! What people with a browser see: a page that says what this is, and the way to MLflow's own user interface.

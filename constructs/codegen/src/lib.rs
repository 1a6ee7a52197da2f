//! Turns schema facts into one Rust module of typed resources a service.

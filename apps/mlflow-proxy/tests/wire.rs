//! The proxy on the wire: raw requests go in, a scripted MLflow looks at what comes out and verifies every signature.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

#[path = "wire/access.rs"]
mod access;
#[path = "wire/answers.rs"]
mod answers;
#[path = "wire/audit.rs"]
mod audit;
#[path = "wire/bodies.rs"]
mod bodies;
#[path = "wire/client.rs"]
mod client;
#[path = "wire/faults.rs"]
mod faults;
#[path = "wire/fuzz.rs"]
mod fuzz;
#[path = "wire/gate.rs"]
mod gate;
#[path = "wire/headers.rs"]
mod headers;
#[path = "wire/lines.rs"]
mod lines;
#[path = "wire/renewal.rs"]
mod renewal;
#[path = "wire/targets.rs"]
mod targets;
#[path = "wire/under_test.rs"]
mod under_test;
#[path = "wire/uploads.rs"]
mod uploads;
#[path = "wire/upstream.rs"]
mod upstream;

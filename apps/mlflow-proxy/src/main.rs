//! The signing proxy.

fn main() {}

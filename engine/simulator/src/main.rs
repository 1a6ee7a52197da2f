//! Serves the simulator on a loopback port.

fn main() {}

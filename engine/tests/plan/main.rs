//! Plans against the simulator: what is checked before a write, what change sets tell, and what is refused.

#[path = "../support/mod.rs"]
mod support;

mod case;
mod change_sets;
mod destroying;
mod environments;
mod freshness;
mod order;

//! The plan over all stacks: what a run would do, in a file that says exactly what is approved.
//!
//! [`make()`] checks what can be checked before the first call, reads what can be read before the first write, and then
//! makes the change sets. What it returns is data: [`approval`] says what has to be asked, [`mod@file`] keeps it, and
//! whoever carries it out can trust that nothing in it is a guess, except where a stack is marked provisional.

pub mod approval;
pub(crate) mod change_set;
pub(crate) mod changes;
pub(crate) mod critical_path;
mod destroy;
mod environment;
mod exports;
pub(crate) mod failure;
pub mod file;
mod fresh;
mod growth;
mod import;
pub(crate) mod input;
mod label;
pub mod late;
pub(crate) mod leftovers;
mod limits;
mod make;
pub mod model;
mod names;
mod offered;
pub mod owner;
mod parameters;
mod phases;
pub mod pre_state;
mod publish;
mod reasons;
pub mod removal;
pub mod request;
mod seen;
mod settle;
pub(crate) mod shell;
pub(crate) mod stack;
#[cfg(test)]
pub(crate) mod testing;
mod unchanged;
mod waiting;

pub use critical_path::{CriticalResource, CriticalStack, critical_path};
pub use destroy::Removals;
pub use environment::{Located, locate};
pub use file::schema;
pub use fresh::check_fresh;
pub use import::{GivenIdentifier, Importable, importable, make_import};
pub(crate) use input::parse as template;
pub use label::{distinct, qualified};
pub use make::make;
pub use model::*;
pub use request::{Busy, Depth, GivenParameter, PlanRequest};

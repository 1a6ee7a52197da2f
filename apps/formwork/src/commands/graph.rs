//! `formwork graph`: what needs what, between stacks or between resources.
//!
//! Stacks and resources become one kind of drawing, and each format draws that.

mod dot;
mod drawing;
mod mermaid;
mod text;

use crate::application;
use crate::arguments::{GraphArguments, GraphFormat};
use crate::console::Console;
use crate::failure::Failure;
use crate::report::StackReport;
use crate::selection::select;
use crate::settings::Settings;

pub(crate) fn run(arguments: &GraphArguments, settings: &Settings, console: &Console) -> Result<(), Failure> {
    let loaded = application::stacks(settings, console)?;
    let stacks: Vec<StackReport> = loaded.iter().map(|stack| stack.report.clone()).collect();
    let selected = select(&stacks, &arguments.stacks)?;
    let drawing = if arguments.resources {
        drawing::resources(&loaded, &selected)
    } else {
        drawing::stacks(&loaded, &selected)
    };
    console.data(&match arguments.format {
        GraphFormat::Text => text::draw(&drawing),
        GraphFormat::Mermaid => mermaid::draw(&drawing),
        GraphFormat::Dot => dot::draw(&drawing),
    })
}

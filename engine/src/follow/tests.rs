//! Tests of watching in virtual time, against a scripted world behind the [`Reads`] seam.

mod diagnosis;
mod ends;
mod interleavings;
mod pace;
mod troubles;
mod world;

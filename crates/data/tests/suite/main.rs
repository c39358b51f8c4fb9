//! Tests of the crate from outside. Every picture they use is made by them, in a temporary folder.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in the functions around it"
)]

mod catalog;
mod decode;
mod describe;
mod image_folder;
mod loader;
mod loader_faults;
mod pictures;
mod plan;
mod split_and_subset;
mod subset_cache;
mod synth_folder;

//! What the tests of the kernels share.
#![allow(dead_code, reason = "each test is a program of its own that needs a part of this")]

#[path = "../../../../tests/golden/generator.rs"]
mod generator;
pub(crate) mod maps;
pub(crate) mod reference;
pub(crate) mod stock;

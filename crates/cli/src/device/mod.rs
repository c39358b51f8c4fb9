//! Devices: their names on the command line, opening them, and what a machine has. This is the only module that knows the
//! backends.

mod backend;
mod choice;
mod found;
mod nvidia;

pub(crate) use backend::Backend;
pub(crate) use choice::DeviceChoice;
pub(crate) use found::{DeviceProperties, FoundDevice, found};

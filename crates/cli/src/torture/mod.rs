//! `kiln torture`: trainings that are killed at random moments must end like one that was left alone.

mod comparison;
mod killer;

pub(crate) use killer::torture;

//! Loading batches on worker threads: the same batches in the same order for any number of workers.
//!
//! Workers take one picture at a time, not one batch, so that all of them work on the batch that is needed next.
//! A batch is *open* from the moment its first picture is handed to a worker until the iterator yields it; the
//! buffers of all open batches together stay within [`LoaderSettings::max_bytes`]. Beyond that a worker holds the
//! one picture it decodes.

mod assembly;
mod batch;
mod batches;
mod form;
mod job;
mod queue;
mod settings;
mod worker;

pub use batch::{Batch, Recipe, SampleKeys};
pub use batches::{Batches, Loader};
pub use form::Form;
pub use settings::{LoaderSettings, OnBadImage};

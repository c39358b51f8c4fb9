//! Where pictures come from: sources, splits, subsets, epoch plans and a deterministic parallel loader.
//!
//! The way of a picture through this crate:
//!
//! 1. A [`SourceSpec`] (the `data.source` table of an experiment) opens a [`DataSet`]: one [`Listing`] to train on
//!    and one to validate on, from an [`ImageFolder`] or rendered by [`synth`].
//! 2. [`split()`], [`subset()`] and [`cached_subset`] choose samples, class by class.
//! 3. A [`BatchPlan`] says which samples each micro-batch of an epoch has, from any optimizer step on.
//! 4. A [`Loader`] decodes, transforms and, unless a device is to do it, normalises them on worker threads and yields [`Batch`]es in order.
//!
//! Everything but the speed is a pure function of files, settings and seed: neither the order in which a file
//! system lists files, nor the number of workers, nor the place where a run was interrupted can be told from a
//! batch. The crate knows nothing of tensors or training.
//!
//! ```
//! use kiln_augment::{Normalize, Pipeline, Size};
//! use kiln_data::{BatchPlan, BatchShape, Loader, LoaderSettings, OpenContext, Recipe, SampleKeys};
//! use kiln_data::{SourceSpec, synth::SynthSpec};
//! use std::sync::Arc;
//!
//! # fn main() -> Result<(), kiln_data::Error> {
//! # let cache = std::env::temp_dir().join(format!("kiln-data-doc-{}", std::process::id()));
//! let spec = SynthSpec { train: 20, val: 10, side: 32, ..SynthSpec::default() };
//! let context = OpenContext { data_dir: None, cache_dir: cache.clone(), seed: 42 };
//! let data = SourceSpec::Synth(spec).open(&context)?;
//!
//! let shape = BatchShape::new(8, 1, false)?;
//! let plan = BatchPlan::training(context.seed, 0, data.train.count(), shape, 0);
//! let recipe = Recipe {
//!     pipeline: Pipeline::default(),
//!     normalize: Normalize { mean: [0.5; 3], std: [0.25; 3] },
//!     size: Size::square(32),
//! };
//! let loader = Loader::new(LoaderSettings { workers: 2, ..LoaderSettings::default() });
//! let keys = SampleKeys::training(context.seed, 0);
//! let batches = loader.run::<f32>(Arc::new(data.train), plan, Arc::new(recipe), keys);
//! let lengths: Vec<usize> = batches.map(|batch| Ok(batch?.len())).collect::<Result<_, kiln_data::Error>>()?;
//! assert_eq!(lengths, [8, 8, 4]);
//! # std::fs::remove_dir_all(&cache).ok();
//! # Ok(())
//! # }
//! ```

mod atomic_file;
mod catalog;
mod caught;
mod decode;
mod describe;
mod epoch;
mod error;
mod image_folder;
mod jpeg_markers;
#[cfg(feature = "libjpeg")]
mod libjpeg;
mod listing;
mod loader;
mod scan;
mod split;
mod subset;
mod subset_cache;
pub mod synth;

pub use catalog::{DataSet, Food101Spec, ImageFolderSpec, OpenContext, Source, SourceSpec};
pub use decode::{BadImage, Decoder, decode_bytes, decode_file};
pub use describe::{BrokenFile, ClassCount, Description, Range, describe};
pub use epoch::{BatchPlan, BatchShape, epoch_order};
pub use error::{Error, Fault};
pub use image_folder::{ImageFolder, Layout};
pub use listing::{Entry, Listing};
pub use loader::{Batch, Batches, Form, Loader, LoaderSettings, OnBadImage, Recipe, SampleKeys};
pub use split::{Split, split};
pub use subset::subset;
pub use subset_cache::{Outcome, cached_subset};

//! Every source of data by the name that a configuration uses.
//!
//! A new source is one file in `catalog/` with a settings struct that is a [`Source`], and two lines here: its
//! `mod` line and its row in the table.

mod food101;
mod image_folder;
mod synth;

use crate::error::Error;
use crate::listing::Listing;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

pub use food101::Food101Spec;
pub use image_folder::ImageFolderSpec;

/// Writes [`SourceSpec`]: `Variant(Settings);`. The variant in snake case is the name in TOML.
macro_rules! sources {
    ($($(#[$doc:meta])* $variant:ident($spec:ty);)*) => {
        /// The `data.source` table of an experiment: `type` and the settings of that type.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        pub enum SourceSpec {
            $($(#[$doc])* $variant($spec),)*
        }

        impl SourceSpec {
            /// Lists the samples, fetching or rendering them first where the source does that.
            ///
            /// # Errors
            /// Those of the source.
            pub fn open(&self, context: &OpenContext) -> Result<DataSet, Error> {
                match self {
                    $(Self::$variant(spec) => spec.open(context),)*
                }
            }

            /// Checks the settings without touching a file.
            ///
            /// # Errors
            /// [`Error::OutOfRange`] naming the setting.
            pub fn validate(&self) -> Result<(), Error> {
                match self {
                    $(Self::$variant(spec) => spec.validate(),)*
                }
            }

            /// One of every source with its default settings, in the catalog's order.
            pub fn all() -> Vec<Self> {
                vec![$(Self::$variant(<$spec>::default()),)*]
            }
        }
    };
}

sources! {
    /// Folders of pictures in the layout of torchvision's `ImageFolder`.
    ImageFolder(ImageFolderSpec);
    /// Food-101 with its official lists.
    Food101(Food101Spec);
    /// Generated pictures, rendered on first use.
    Synth(crate::synth::SynthSpec);
}

/// What the settings of a source can do.
pub trait Source {
    /// Checks the settings without touching a file.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] naming the setting.
    fn validate(&self) -> Result<(), Error>;

    /// Lists the samples.
    ///
    /// # Errors
    /// Those of the source.
    fn open(&self, context: &OpenContext) -> Result<DataSet, Error>;
}

/// What a source may need besides its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenContext {
    /// The folder that the user named for this run; goes before any path in the settings.
    pub data_dir: Option<PathBuf>,
    /// Where sources may keep what they make.
    pub cache_dir: PathBuf,
    /// The experiment's seed.
    pub seed: u64,
}

/// The samples of an experiment. Both listings have the same classes.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSet {
    /// Samples to train on.
    pub train: Listing,
    /// Samples to validate on.
    pub val: Listing,
    /// The folder that holds them.
    pub root: PathBuf,
}

//! `type = "image_folder"`.

use super::{DataSet, OpenContext, Source};
use crate::error::Error;
use crate::image_folder::{ImageFolder, Layout};
use crate::split::{check_val_fraction, split};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of an image folder; see [`ImageFolder`] for its layouts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageFolderSpec {
    /// The folder. May be left out where a folder is named for the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The fraction of each class to validate on, above 0 and below 1. Used only when the folder has no
    /// validation split of its own.
    pub val_fraction: f64,
}

impl Default for ImageFolderSpec {
    /// No path; a fifth to validate on.
    fn default() -> Self {
        Self { path: None, val_fraction: 0.2 }
    }
}

impl Source for ImageFolderSpec {
    fn validate(&self) -> Result<(), Error> {
        check_val_fraction(self.val_fraction)
    }

    fn open(&self, context: &OpenContext) -> Result<DataSet, Error> {
        self.validate()?;
        let path = context.data_dir.as_ref().or(self.path.as_ref()).ok_or(Error::NoPath)?;
        let folder = ImageFolder::open(path)?;
        let root = folder.root().to_path_buf();
        let (train, val) = match folder.into_layout() {
            Layout::Separate { train, val } => (train, val),
            Layout::Whole(whole) => {
                let parts = split(&whole, self.val_fraction, context.seed)?;
                (whole.select(&parts.train), whole.select(&parts.val))
            }
        };
        Ok(DataSet { train, val, root })
    }
}

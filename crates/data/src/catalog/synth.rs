//! `type = "synth"`.

use super::{DataSet, ImageFolderSpec, OpenContext, Source};
use crate::error::Error;
use crate::synth::{SynthSpec, folder_name, write};
use std::fs;

impl Source for SynthSpec {
    fn validate(&self) -> Result<(), Error> {
        SynthSpec::validate(self)
    }

    /// Renders into the folder named for the run, or else into one of its own in the cache, unless it is there.
    fn open(&self, context: &OpenContext) -> Result<DataSet, Error> {
        SynthSpec::validate(self)?;
        let folder = match &context.data_dir {
            Some(folder) => folder.clone(),
            None => context.cache_dir.join(folder_name(self)),
        };
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        }
        write(self, &folder)?;
        let rendered = OpenContext { data_dir: Some(folder), ..context.clone() };
        ImageFolderSpec::default().open(&rendered)
    }
}

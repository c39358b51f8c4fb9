//! The pictures of a run, found again.

use crate::error::Error;
use crate::observer::Observer;
use crate::prepared::Prepared;
use crate::preview::first_batch;
use crate::run::RunSettings;
use kiln_augment::Image8;
use std::path::Path;

/// The pictures of a run, which are looked for once.
pub struct RunPictures {
    run: Prepared,
}

impl RunPictures {
    /// Finds the pictures of the run at `path`. `pictures` is where they are now, if they have moved.
    ///
    /// # Errors
    /// [`Error::Data`] and [`Error::RunDirectory`] when they are not there, or are not those of the run.
    pub fn open(
        path: &Path,
        pictures: Option<&Path>,
        observer: &mut dyn Observer,
    ) -> Result<Self, Error> {
        Ok(Self { run: Prepared::of_path(path, pictures, observer)?.1 })
    }

    /// The folder of the classes of the validation pictures.
    pub fn validation_folder(&self) -> &Path {
        self.run.val.root()
    }

    /// The first training pictures of each stage as the network gets them, by the stage's name.
    ///
    /// # Errors
    /// [`Error::Data`] and [`Error::NoPicture`].
    pub fn first_of_stages(
        &self,
        settings: &RunSettings,
    ) -> Result<Vec<(String, Vec<Image8>)>, Error> {
        let train = self.run.training_pictures(settings);
        let stages = self.run.stages.iter().enumerate();
        stages
            .map(|(index, plan)| Ok((plan.name.clone(), first_batch(plan, &train, index)?.0)))
            .collect()
    }
}

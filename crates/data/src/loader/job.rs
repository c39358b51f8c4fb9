//! What a run of the loader is about, and the work on a single picture.

use super::batch::{Recipe, SampleKeys};
use super::form::Form;
use super::settings::OnBadImage;
use crate::caught::caught;
use crate::decode::{BadImage, Decoder};
use crate::epoch::BatchPlan;
use crate::error::Error;
use crate::listing::Listing;
use std::sync::Arc;

/// Everything that stays the same during a run.
pub(super) struct Job {
    pub(super) listing: Arc<Listing>,
    pub(super) plan: BatchPlan,
    pub(super) recipe: Arc<Recipe>,
    pub(super) keys: SampleKeys,
    pub(super) on_bad_image: OnBadImage,
}

/// Why a picture is missing from its batch.
pub(super) enum Failure {
    /// The file is bad, which may be acceptable.
    Bad(BadImage),
    /// Something else is wrong, which never is.
    Fatal(Error),
}

/// One thread's buffers.
pub(super) struct Desk<T> {
    decoder: Decoder,
    numbers: Vec<T>,
}

impl<T: Form> Desk<T> {
    pub(super) fn new(recipe: &Recipe) -> Self {
        Self { decoder: Decoder::new(), numbers: vec![T::default(); recipe.sample_len()] }
    }
}

impl Job {
    /// Bytes of the pictures of micro-batch `batch`.
    pub(super) fn bytes_of<T: Form>(&self, batch: usize) -> usize {
        let numbers = self.plan.batch(batch).len().saturating_mul(self.recipe.sample_len());
        numbers.saturating_mul(size_of::<T>())
    }

    /// The numbers of sample `index`. A panic on the way is a failure like any other.
    pub(super) fn prepare<'d, T: Form>(
        &self,
        desk: &'d mut Desk<T>,
        index: u32,
    ) -> Result<&'d [T], Failure> {
        match caught(|| self.render(desk, index)) {
            Ok(Ok(())) => Ok(&desk.numbers),
            Ok(Err(failure)) => Err(failure),
            Err(message) => {
                *desk = Desk::new(&self.recipe);
                Err(Failure::Fatal(Error::Panicked { path: self.listing.path(index), message }))
            }
        }
    }

    fn render<T: Form>(&self, desk: &mut Desk<T>, index: u32) -> Result<(), Failure> {
        let path = self.listing.path(index);
        let decoded = desk.decoder.decode(&path).map_err(Failure::Bad)?;
        let image = self.recipe.pipeline.apply(decoded, self.keys.of(index));
        if image.size() != self.recipe.size {
            let (expected, found) = (self.recipe.size, image.size());
            return Err(Failure::Fatal(Error::WrongSize { path, expected, found }));
        }
        T::write(&image, &self.recipe.normalize, &mut desk.numbers);
        Ok(())
    }
}

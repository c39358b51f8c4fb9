//! A batch in the making.

use super::batch::Batch;
use super::form::Form;
use super::job::{Failure, Job};
use super::settings::OnBadImage;
use crate::error::Error;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// A micro-batch whose pictures arrive in any order.
pub(super) struct Assembly<T> {
    batch: usize,
    /// Pictures still to be placed.
    missing: AtomicUsize,
    parts: Mutex<Parts<T>>,
}

struct Parts<T> {
    images: Vec<T>,
    /// By position in the batch.
    failures: BTreeMap<usize, Failure>,
}

impl<T: Form> Assembly<T> {
    /// Micro-batch `batch` of the job's plan, with room for its pictures.
    pub(super) fn new(job: &Job, batch: usize) -> Self {
        let len = job.plan.batch(batch).len();
        let images = vec![T::default(); len * job.recipe.sample_len()];
        let parts = Mutex::new(Parts { images, failures: BTreeMap::new() });
        Self { batch, missing: AtomicUsize::new(len), parts }
    }

    /// Which micro-batch of the plan this is.
    pub(super) fn batch(&self) -> usize {
        self.batch
    }

    /// Whether every picture was placed.
    pub(super) fn is_complete(&self) -> bool {
        self.missing.load(Ordering::Acquire) == 0
    }

    /// Puts the picture, or why there is none, at `position`, once for each. True if it was the last.
    pub(super) fn place(&self, position: usize, outcome: Result<&[T], Failure>) -> bool {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(planes) => {
                let start = position * planes.len();
                parts.images[start..start + planes.len()].copy_from_slice(planes);
            }
            Err(failure) => {
                parts.failures.insert(position, failure);
            }
        }
        drop(parts);
        self.missing.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// The finished batch, or the first failure in plan order that is not to be skipped.
    pub(super) fn finish(&self, job: &Job) -> Result<Batch<T>, Error> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let Parts { images, failures } = &mut *parts;
        let (mut images, failures) = (std::mem::take(images), std::mem::take(failures));
        let mut indices = job.plan.batch(self.batch).to_vec();
        let mut bad = Vec::new();
        let mut gaps = Vec::new();
        for (position, failure) in failures {
            match (failure, job.on_bad_image) {
                (Failure::Bad(image), OnBadImage::Skip) => bad.push(image),
                (Failure::Bad(image), OnBadImage::Fail) => return Err(image.into()),
                (Failure::Fatal(error), _) => return Err(error),
            }
            gaps.push(position);
        }
        close_gaps(&mut indices, 1, &gaps);
        close_gaps(&mut images, job.recipe.sample_len(), &gaps);
        let labels = indices.iter().map(|&i| job.listing.class(i)).collect();
        Ok(Batch { images, labels, indices, size: job.recipe.size, bad })
    }
}

/// Removes the items at `gaps` (ascending), each `width` values long.
fn close_gaps<T: Copy>(values: &mut Vec<T>, width: usize, gaps: &[usize]) {
    let items = values.len() / width.max(1);
    let ends = gaps.iter().skip(1).copied().chain([items]);
    let mut kept = gaps.first().map_or(values.len(), |&first| first * width);
    for (&gap, end) in gaps.iter().zip(ends) {
        let moved = (gap + 1) * width..end * width;
        let len = moved.len();
        values.copy_within(moved, kept);
        kept += len;
    }
    values.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::close_gaps;

    #[test]
    fn gaps_close_in_order() {
        let check = |gaps: &[usize], expect: &[u32]| {
            let mut values = vec![0, 1, 10, 11, 20, 21, 30, 31];
            close_gaps(&mut values, 2, gaps);
            assert_eq!(values, expect, "gaps at {gaps:?}");
        };
        check(&[], &[0, 1, 10, 11, 20, 21, 30, 31]);
        check(&[0], &[10, 11, 20, 21, 30, 31]);
        check(&[3], &[0, 1, 10, 11, 20, 21]);
        check(&[1, 2], &[0, 1, 30, 31]);
        check(&[0, 2], &[10, 11, 30, 31]);
        check(&[0, 1, 2, 3], &[]);
    }
}

//! The loader and the iterator over its batches.

use super::assembly::Assembly;
use super::batch::{Batch, Recipe, SampleKeys};
use super::form::Form;
use super::job::{Desk, Job};
use super::queue::{Head, Queue};
use super::settings::LoaderSettings;
use super::worker;
use crate::epoch::BatchPlan;
use crate::error::Error;
use crate::listing::Listing;
use std::iter::FusedIterator;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Makes batches of a listing's pictures.
#[derive(Debug, Clone, Copy)]
pub struct Loader {
    settings: LoaderSettings,
}

impl Loader {
    /// A loader with these settings. Starts nothing yet.
    pub const fn new(settings: LoaderSettings) -> Self {
        Self { settings }
    }

    /// Starts the workers on the micro-batches of `plan`, which was made for this listing.
    ///
    /// What the batches hold is a pure function of the arguments: not of the number of workers, nor of time. The
    /// workers are threads of this run's own, so that a training step may use all of rayon's.
    pub fn run<T: Form>(
        &self,
        listing: Arc<Listing>,
        plan: BatchPlan,
        recipe: Arc<Recipe>,
        keys: SampleKeys,
    ) -> Batches<T> {
        let LoaderSettings { workers, max_bytes, on_bad_image } = self.settings;
        let remaining = plan.len();
        let samples = listing.count();
        let out_of_range = plan.samples().iter().copied().find(|&sample| sample >= samples);
        let job = Job { listing, plan, recipe, keys, on_bad_image };
        let source = if let Some(sample) = out_of_range {
            Source::Failed(Some(Error::SampleOutOfRange { sample, samples }))
        } else if workers == 0 {
            Source::Inline { desk: Desk::new(&job.recipe), job, next: 0 }
        } else {
            Source::start(job, max_bytes, workers)
        };
        Batches { source, remaining }
    }
}

/// Batches in plan order: for each micro-batch of the plan a [`Batch`], or an error that ends the iteration.
///
/// Dropping it stops the workers, each after the picture it is on.
///
/// # Errors
/// [`Error::BadImage`] unless bad pictures are skipped; [`Error::WrongSize`] and [`Error::Panicked`] for a fault
/// of the pipeline; [`Error::Threads`] when not even one worker could be started;
/// [`Error::SampleOutOfRange`] for a plan of another listing; [`Error::WorkersGone`].
pub struct Batches<T: Form = f32> {
    source: Source<T>,
    /// Micro-batches not yet yielded; 0 after an error.
    remaining: usize,
}

enum Source<T: Form> {
    /// Prepares on the caller's thread.
    Inline { job: Job, desk: Desk<T>, next: usize },
    /// Prepares on workers.
    Workers { queue: Arc<Queue<T>>, threads: Vec<JoinHandle<()>> },
    /// Could not start.
    Failed(Option<Error>),
}

impl<T: Form> Source<T> {
    fn start(job: Job, max_bytes: usize, workers: usize) -> Self {
        let workers = workers.min(job.plan.samples().len());
        let queue = Arc::new(Queue::new(job, max_bytes, workers));
        let mut threads = Vec::with_capacity(workers);
        for number in 0..workers {
            match worker::start(&queue, number) {
                Ok(thread) => threads.push(thread),
                Err(source) if threads.is_empty() => {
                    return Self::Failed(Some(Error::Threads { source }));
                }
                Err(error) => {
                    tracing::warn!(%error, started = threads.len(), workers, "too few loader threads");
                    (number..workers).for_each(|_| queue.leave());
                    break;
                }
            }
        }
        Self::Workers { queue, threads }
    }

    fn next(&mut self) -> Option<Result<Batch<T>, Error>> {
        match self {
            Self::Inline { job, desk, next } => {
                let assembly = Assembly::new(job, *next);
                for (position, &sample) in job.plan.batch(*next).iter().enumerate() {
                    assembly.place(position, job.prepare(desk, sample));
                }
                *next += 1;
                Some(assembly.finish(job))
            }
            Self::Workers { queue, .. } => match queue.head() {
                Head::Ready(assembly) => Some(assembly.finish(&queue.job)),
                Head::End => None,
                Head::Abandoned => Some(Err(Error::WorkersGone)),
            },
            Self::Failed(error) => error.take().map(Err),
        }
    }
}

impl<T: Form> Iterator for Batches<T> {
    type Item = Result<Batch<T>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.remaining == 0 {
            return None;
        }
        let item = self.source.next();
        let going_on = matches!(item, Some(Ok(_)));
        self.remaining = if going_on { self.remaining - 1 } else { 0 };
        if let (Source::Workers { queue, .. }, false) = (&self.source, going_on) {
            queue.stop();
        }
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining.min(1), Some(self.remaining))
    }
}

impl<T: Form> FusedIterator for Batches<T> {}

impl<T: Form> std::fmt::Debug for Batches<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").field("remaining", &self.remaining).finish_non_exhaustive()
    }
}

impl<T: Form> Drop for Batches<T> {
    fn drop(&mut self) {
        if let Source::Workers { queue, threads } = &mut self.source {
            queue.stop();
            for thread in threads.drain(..) {
                // A worker's panic was already reported as an error, or nobody is left to hear of it.
                let _ = thread.join();
            }
        }
    }
}

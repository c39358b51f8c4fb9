//! How a run tells the outside what it does, and how the outside asks it to stop.

use crate::plan::StagePlan;
use crate::record::EpochRecord;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// One optimizer step, just done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Epoch of the stage, from 1.
    pub epoch: u64,
    /// Step of the epoch, from 1.
    pub step: u64,
    /// Steps in this epoch.
    pub steps: u64,
    /// Pictures in the step.
    pub images: u64,
    /// Mean loss of the epoch so far.
    pub loss: f64,
    /// Learning rate used.
    pub lr: f64,
}

/// Receives what happens. Every method has an empty default.
pub trait Observer {
    /// A stage begins or continues; `learning` of its `parameters` are being trained.
    fn stage(&mut self, stage: &StagePlan, learning: usize, parameters: usize) {
        let _ = (stage, learning, parameters);
    }
    /// A step is done.
    fn step(&mut self, report: StepReport) {
        let _ = report;
    }
    /// `done` of `total` validation pictures are scored.
    fn validating(&mut self, done: usize, total: usize) {
        let _ = (done, total);
    }
    /// An epoch is done and recorded.
    fn epoch(&mut self, record: &EpochRecord) {
        let _ = record;
    }
    /// Something worth a line.
    fn note(&mut self, line: &str) {
        let _ = line;
    }
}

/// An observer that ignores everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}

/// Asks a run to stop after the current step. Clones share the request.
#[derive(Debug, Clone, Default)]
pub struct StopRequest {
    asked: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl StopRequest {
    /// A request that is made by itself at `deadline`, if there is one.
    pub fn at(deadline: Option<Instant>) -> Self {
        Self { asked: Arc::default(), deadline }
    }

    /// Asks. Safe to call from a signal handler's thread.
    pub fn request(&self) {
        self.asked.store(true, Ordering::SeqCst);
    }

    /// Whether somebody asked, or the time is over.
    pub fn is_requested(&self) -> bool {
        self.is_asked() || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Whether somebody asked.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }
}

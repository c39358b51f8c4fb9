//! What is known of a run while it goes on.

use kiln_trainer::record::EpochRecord;
use kiln_trainer::{StagePlan, StepReport};
use std::time::{Duration, Instant};

/// A point of a curve: epochs of the run, and the value.
pub(super) type Point = (f64, f64);

/// The course of a run so far.
#[derive(Debug)]
pub(super) struct Course {
    /// Name, epochs and steps of the stage.
    pub(super) stage: String,
    pub(super) epochs: u64,
    pub(super) steps: u64,
    steps_per_epoch: u64,
    /// The last step.
    pub(super) last: Option<StepReport>,
    /// Pictures validated, of how many; absent while training.
    pub(super) validating: Option<(usize, usize)>,
    pub(super) train_loss: Vec<Point>,
    pub(super) val_loss: Vec<Point>,
    pub(super) train_top1: Vec<Point>,
    pub(super) val_top1: Vec<Point>,
    /// Epochs of the stages before.
    before: f64,
    /// When the stage began here, and its steps that were done by then.
    began: (Instant, u64),
    images: u64,
}

impl Course {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            stage: String::new(),
            epochs: 0,
            steps: 0,
            steps_per_epoch: 1,
            last: None,
            validating: None,
            train_loss: Vec::new(),
            val_loss: Vec::new(),
            train_top1: Vec::new(),
            val_top1: Vec::new(),
            before: 0.0,
            began: (now, 0),
            images: 0,
        }
    }

    pub(super) fn stage(&mut self, stage: &StagePlan, now: Instant) {
        self.begin(&stage.name, (stage.epochs, stage.total_steps, stage.steps_per_epoch), now);
    }

    /// A stage of so many epochs, steps, and steps in an epoch.
    pub(super) fn begin(&mut self, name: &str, length: (u64, u64, u64), now: Instant) {
        self.before = self.val_loss.last().map_or(0.0, |(epochs, _)| *epochs);
        name.clone_into(&mut self.stage);
        (self.epochs, self.steps, self.steps_per_epoch) = length;
        (self.last, self.validating, self.images) = (None, None, 0);
        self.began = (now, 0);
    }

    pub(super) fn step(&mut self, report: StepReport, now: Instant) {
        if self.last.is_none() {
            self.began = (now, self.steps_at(&report));
        } else {
            self.images += report.images;
        }
        (self.last, self.validating) = (Some(report), None);
    }

    pub(super) fn epoch(&mut self, record: &EpochRecord) {
        let x = self.before + record.epoch as f64;
        for (curve, value) in [
            (&mut self.train_loss, record.train_loss),
            (&mut self.val_loss, record.val_loss),
            (&mut self.train_top1, 100.0 * record.train_top1),
            (&mut self.val_top1, 100.0 * record.val_top1),
        ] {
            curve.push((x, value));
        }
        self.validating = None;
    }

    fn steps_at(&self, report: &StepReport) -> u64 {
        (report.epoch - 1) * self.steps_per_epoch + report.step
    }

    /// Steps of the stage that are done.
    pub(super) fn done(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| self.steps_at(last))
    }

    /// Training pictures per second, validation included.
    pub(super) fn images_per_second(&self, now: Instant) -> Option<f64> {
        let seconds = (now - self.began.0).as_secs_f64();
        (self.images > 0).then(|| self.images as f64 / seconds)
    }

    /// The time that the rest of the stage takes at the rate so far, validation included.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        let (began, before) = self.began;
        let here = self.done().checked_sub(before).filter(|steps| *steps > 0)?;
        let rest = self.steps.saturating_sub(self.done()) as f64;
        Some((now - began).mul_f64(rest / here as f64))
    }
}

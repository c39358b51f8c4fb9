//! What a person sees while a run goes on: bars on a terminal, plain lines elsewhere.

use crate::output::say;
use indicatif::{ProgressBar, ProgressStyle};
use kiln_trainer::record::{AverageScores, EpochRecord};
use kiln_trainer::{Observer, StagePlan, StepReport};
use std::io::IsTerminal as _;

/// Prints to the standard streams: epochs and notes to the output, bars to the error stream.
pub(crate) struct Reporter {
    quiet: bool,
    bar: Option<ProgressBar>,
    epochs: u64,
    images: u64,
    epoch_began: std::time::Instant,
}

impl Reporter {
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(ProgressBar::no_length);
        Self { quiet, bar, epochs: 0, images: 0, epoch_began: std::time::Instant::now() }
    }

    fn line(&self, text: &str) {
        match (&self.bar, self.quiet) {
            (_, true) => {}
            (Some(bar), false) => bar.suspend(|| say(text)),
            (None, false) => say(text),
        }
    }

    /// Takes the bar off the screen.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `11.2M`, or `0.1M of 11.2M` where not all of them learn.
pub(crate) fn share(learning: usize, parameters: usize) -> String {
    let millions = |count: usize| format!("{:.1}M", count as f64 / 1e6);
    if learning == parameters {
        return millions(parameters);
    }
    format!("{} of {}", millions(learning), millions(parameters))
}

impl Observer for Reporter {
    fn stage(&mut self, stage: &StagePlan, learning: usize, parameters: usize) {
        self.epochs = stage.epochs;
        self.line(&format!(
            "stage {}: {} epochs of {} steps, {} x {} pictures a step at {} px, {} parameters trained",
            stage.name,
            stage.epochs,
            stage.steps_per_epoch,
            stage.shape.micro(),
            stage.shape.accumulate(),
            stage.card.size,
            share(learning, parameters),
        ));
        self.line(
            "epoch   train loss  top-1    val loss  top-1  top-5        lr  images/s  seconds",
        );
        if let Some(bar) = &self.bar {
            let template = "{prefix} [{bar:30}] {pos}/{len}  {msg}  {eta} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
        }
        self.images = 0;
        self.epoch_began = std::time::Instant::now();
    }

    fn step(&mut self, report: StepReport) {
        self.images += report.images;
        let Some(bar) = &self.bar else { return };
        if report.step == 1 || bar.length() != Some(report.steps) {
            bar.set_length(report.steps);
            bar.reset_eta();
        }
        let rate = self.images as f64 / self.epoch_began.elapsed().as_secs_f64();
        bar.set_prefix(format!("epoch {}/{}", report.epoch, self.epochs));
        bar.set_message(format!("loss {:.3}  {rate:.0} images/s", report.loss));
        bar.set_position(report.step);
    }

    fn validating(&mut self, done: usize, total: usize) {
        let Some(bar) = &self.bar else { return };
        bar.set_length(total as u64);
        bar.set_prefix("validating");
        bar.set_message("");
        bar.set_position(done as u64);
    }

    fn epoch(&mut self, record: &EpochRecord) {
        self.line(&format!(
            "{:>5}  {:>11.4}  {:>5.3}  {:>10.4}  {:>5.3}  {:>5.3}  {:>8.2e}  {:>8.0}  {:>7.1}",
            format!("{}/{}", record.epoch, self.epochs),
            record.train_loss,
            record.train_top1,
            record.val_loss,
            record.val_top1,
            record.val_top5,
            record.lr,
            record.images_per_second,
            record.seconds,
        ));
        if let Some(AverageScores { val_loss, val_top1, val_top5, .. }) = record.average {
            let row = format!("{val_loss:>10.4}  {val_top1:>5.3}  {val_top5:>5.3}");
            self.line(&format!("       average of weights  {row}"));
        }
        if record.skipped_steps > 0 {
            let skipped = record.skipped_steps;
            self.line(&format!("       {skipped} steps left out: gradients overflowed in f16"));
        }
        if record.bad_images > 0 {
            self.line(&format!(
                "       {} pictures left out: they cannot be decoded",
                record.bad_images
            ));
        }
        self.images = 0;
        self.epoch_began = std::time::Instant::now();
    }

    fn note(&mut self, line: &str) {
        self.line(line);
    }
}

//! What a person sees while a run goes on: bars or a dashboard on a terminal, plain lines elsewhere.

use crate::dashboard::Dashboard;
use crate::output::say;
use indicatif::{ProgressBar, ProgressStyle};
use kiln_trainer::record::{AverageScores, EpochRecord};
use kiln_trainer::{Observer, StagePlan, StepReport};
use std::io::IsTerminal as _;

/// Where it goes.
enum Screen {
    Nowhere,
    /// The standard output.
    Lines,
    /// The same, and a bar on the error stream.
    Bar(ProgressBar),
    Dashboard(Box<Dashboard>),
}

/// Prints what happens.
pub(crate) struct Reporter {
    screen: Screen,
    epochs: u64,
    images: u64,
    epoch_began: std::time::Instant,
}

impl Reporter {
    pub(crate) fn new(quiet: bool) -> Self {
        let screen = match quiet {
            true => Screen::Nowhere,
            false if std::io::stderr().is_terminal() => Screen::Bar(ProgressBar::no_length()),
            false => Screen::Lines,
        };
        Self { screen, epochs: 0, images: 0, epoch_began: std::time::Instant::now() }
    }

    /// One with a dashboard, where there is a terminal for it.
    pub(crate) fn with_dashboard() -> Self {
        let plain = Self::new(false);
        match Dashboard::new() {
            Some(dashboard) => Self { screen: Screen::Dashboard(Box::new(dashboard)), ..plain },
            None => plain,
        }
    }

    fn line(&mut self, text: &str) {
        match &mut self.screen {
            Screen::Nowhere => {}
            Screen::Lines => say(text),
            Screen::Bar(bar) => bar.suspend(|| say(text)),
            Screen::Dashboard(dashboard) => dashboard.line(text),
        }
    }

    /// Takes the bar off the screen.
    pub(crate) fn finish(&mut self) {
        match &mut self.screen {
            Screen::Nowhere | Screen::Lines => {}
            Screen::Bar(bar) => bar.finish_and_clear(),
            Screen::Dashboard(dashboard) => dashboard.finish(),
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
        if let Screen::Dashboard(dashboard) = &mut self.screen {
            dashboard.stage(stage);
        }
        if let Screen::Bar(bar) = &self.screen {
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
        if let Screen::Dashboard(dashboard) = &mut self.screen {
            dashboard.step(report);
        }
        let Screen::Bar(bar) = &self.screen else { return };
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
        if let Screen::Dashboard(dashboard) = &mut self.screen {
            dashboard.validating(done, total);
        }
        let Screen::Bar(bar) = &self.screen else { return };
        bar.set_length(total as u64);
        bar.set_prefix("validating");
        bar.set_message("");
        bar.set_position(done as u64);
    }

    fn epoch(&mut self, record: &EpochRecord) {
        if let Screen::Dashboard(dashboard) = &mut self.screen {
            dashboard.epoch(record);
        }
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

//! The learning-rate range test: a short training in which the rate grows from step to step, thrown away at its end.

use crate::checkpoint::TrainState;
use crate::error::Error;
use crate::observer::{Observer, StepReport};
use crate::plan::StagePlan;
use crate::prepared::Prepared;
use crate::run::{RunSettings, checked};
use crate::spec::Layers;
use crate::tally::Tally;
use crate::train::Progress;
use burn::module::Module as _;
use kiln_models::DropScale;
use kiln_optim_schedules::{Rates, Schedule};
use serde::{Deserialize, Serialize};

/// How a range test goes.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeTest {
    /// Name of the stage whose settings are used; absent: the first.
    pub stage: Option<String>,
    /// Rate of the first step, above 0.
    pub start_lr: f64,
    /// Where the rates end, above `start_lr`.
    pub end_lr: f64,
    /// Optimizer steps, at least 2.
    pub steps: u64,
    /// How the rate grows.
    pub sweep: Sweep,
}

impl Default for RangeTest {
    /// fastai's.
    fn default() -> Self {
        let sweep = Sweep::Exponential;
        Self { stage: None, start_lr: 1e-7, end_lr: 10.0, steps: 100, sweep }
    }
}

/// How the rate grows from step to step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sweep {
    /// By the same factor (fastai's).
    Exponential,
    /// By the same amount (Smith, 2015).
    Linear,
}

/// What a range test found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RangeRecord {
    /// Name of the stage.
    pub stage: String,
    /// The setting that the suggestion is for, such as `stage.train.schedule.max_lr`; absent where the schedule has several.
    pub setting: Option<String>,
    /// Steps that were asked for.
    pub steps: u64,
    /// Those that were done, in order.
    pub points: Vec<RangePoint>,
    /// Whether it ended early, since the loss was no number any more or its mean four times the lowest.
    pub diverged: bool,
}

/// One step of a range test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RangePoint {
    /// The rate.
    pub lr: f64,
    /// Mean loss of the step's pictures.
    pub loss: f64,
    /// The moving mean of the losses, see [`SmoothedLoss`].
    pub smoothed: f64,
}

/// An exponential moving mean with weight 0.98 on the past, free of the pull to its start.
///
/// # Parity
/// fastai's `Recorder.smooth_loss`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SmoothedLoss {
    mean: f64,
    count: i32,
}

impl SmoothedLoss {
    const BETA: f64 = 0.98;

    /// The mean with `loss` in it.
    pub fn add(&mut self, loss: f64) -> f64 {
        self.mean = Self::BETA * self.mean + (1.0 - Self::BETA) * loss;
        self.count += 1;
        self.mean / (1.0 - Self::BETA.powi(self.count))
    }
}

/// Trains a stage for a few steps while its rate grows, with the network, pictures, augmentation, mixing, loss, optimizer,
/// precision and accumulation that it would train with, and tells what came of each step.
///
/// It begins with the first weights of the experiment, also for a later stage, and ends early when it is asked to stop. Nothing is written but the cache of chosen
/// subsets and generated pictures, and a run that begins after it is what it would have been without.
///
/// # Errors
/// [`Error::Config`] for a stage that does not exist and a range that is none, and those of beginning a run.
pub fn range_test(
    layers: &Layers,
    test: &RangeTest,
    settings: &RunSettings,
    observer: &mut dyn Observer,
) -> Result<RangeRecord, Error> {
    test.check()?;
    let spec = checked(layers)?;
    let number = match &test.stage {
        None => 0,
        Some(name) => spec.stages.iter().position(|stage| stage == name).ok_or_else(|| {
            let problem = format!("no stage `{name}`; there is {}", spec.stages.join(", "));
            Error::Config { origin: "range test".into(), path: "stage".into(), problem }
        })?,
    };
    let mut prepared = Prepared::new(spec, layers, observer)?;
    prepared.check_precision(&settings.device)?;
    let network = prepared.initial_network(&settings.device.clone().autodiff(), observer)?;
    prepared.check_rules(&network)?;
    let stepper = prepared.stepper(settings);
    let setting = prepared.spec.rate_setting(&prepared.stages[number].name);
    let mut stage = prepared.stages.swap_remove(number);
    test.take_over(&mut stage);
    let network = network.with_kernels(prepared.spec.trainer.kernels);
    let network = stage.params.apply(network).with_drop_scale(DropScale::default());
    let mut progress = Progress {
        optimizer: stage.new_optimizer(&network)?,
        anchor: stage.anchor(&network.valid()),
        network,
        average: None,
        state: TrainState { stage: number, ..TrainState::default() },
    };

    let (mut points, mut diverged) = (Vec::new(), false);
    let (mut mean, mut lowest) = (SmoothedLoss::default(), f64::INFINITY);
    'steps: for epoch in 0..stage.epochs {
        progress.state = TrainState { epoch, step_in_epoch: 0, ..progress.state };
        let mut batches = stepper.train.epoch(&stage, &progress.state);
        for step in 0..stage.steps_in_epoch(epoch) {
            if settings.stop.is_requested() {
                break 'steps;
            }
            progress.state.tally = Tally::default();
            let lr = stage.rates(stage.step(&progress.state), &progress.state).lr;
            progress = match stepper.optimizer_step(&stage, progress, &mut batches, observer) {
                Ok(progress) => progress,
                Err(Error::Diverged { .. }) => {
                    diverged = true;
                    break 'steps;
                }
                Err(error) => return Err(error),
            };
            let tally = &progress.state.tally;
            if tally.samples == 0 {
                // A step that overflowed in f16, or pictures that could not be decoded.
                continue;
            }
            let loss = tally.loss();
            let smoothed = mean.add(loss);
            points.push(RangePoint { lr, loss, smoothed });
            observer.step(StepReport {
                epoch: 1,
                step: epoch * stage.steps_per_epoch + step + 1,
                steps: stage.total_steps,
                images: tally.samples,
                loss: smoothed,
                lr,
            });
            lowest = lowest.min(smoothed);
            if smoothed > 4.0 * lowest {
                diverged = true;
                break 'steps;
            }
        }
    }
    Ok(RangeRecord { stage: stage.name, setting, steps: test.steps, points, diverged })
}

impl RangeTest {
    fn check(&self) -> Result<(), Error> {
        let fault = |path: &str, problem: &str| {
            let (origin, path) = ("range test".to_owned(), path.to_owned());
            Err(Error::Config { origin, path, problem: problem.to_owned() })
        };
        if !(self.start_lr > 0.0 && self.start_lr.is_finite()) {
            return fault("start_lr", "must be above 0");
        }
        if !(self.end_lr > self.start_lr && self.end_lr.is_finite()) {
            return fault("end_lr", "must be above start_lr");
        }
        if self.steps < 2 {
            return fault("steps", "must be at least 2");
        }
        Ok(())
    }

    /// Puts the test's length and rates in place of the stage's.
    fn take_over(&self, stage: &mut StagePlan) {
        stage.total_steps = self.steps;
        stage.epochs = self.steps.div_ceil(stage.steps_per_epoch);
        stage.schedule = Box::new(self.clone());
        stage.plateau = None;
        stage.average = None;
    }
}

impl Schedule for RangeTest {
    fn at(&self, step: u64) -> Rates {
        let part = step as f64 / self.steps as f64;
        let Self { start_lr, end_lr, .. } = *self;
        let lr = match self.sweep {
            Sweep::Exponential => start_lr * (end_lr / start_lr).powf(part),
            Sweep::Linear => start_lr + part * (end_lr - start_lr),
        };
        Rates { lr, momentum: None }
    }
}

//! The training loop, top to bottom.
//!
//! One epoch: its steps (`optimizer_step.rs`, with `step_gradients.rs`), then validation of the network and of the average, a line in
//! `metrics.jsonl`, and a checkpoint where one is due. Everything that decides the result is a function of the plan and the
//! position in [`TrainState`], so a run continues wherever a checkpoint left it.

use crate::checkpoint::{Contents, Keep, Origin, Snapshot, TrainState, UnloggedSteps, Writer};
use crate::device_memory::{device_memory_bytes, resident_bytes};
use crate::early_stopping::Best;
use crate::error::Error;
use crate::evaluate::{Scores, Test, evaluate};
use crate::macro_f1::macro_f1;
use crate::metrics::{Line, MetricsLog};
use crate::new_statistics::with_new_statistics;
use crate::observer::{Observer, StepReport, StopRequest};
use crate::optimizer_step::Stepper;
use crate::plan::StagePlan;
use crate::ranks::settle;
use crate::record::{AverageScores, EpochRecord, StepsRecord, unix_seconds};
use crate::spec::Metric;
use crate::together::check_copies;
use crate::watchdog::Phase;
use kiln_data::Listing;
use kiln_models::Network;
use kiln_optim_schedules::{Anchor, Averaged, Optimizer, Pace, PlateauMode};
use kiln_parallel::Ranks;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

/// What a stage trains with.
pub(crate) struct Trainer<'a> {
    pub(crate) stepper: Stepper,
    pub(crate) val: Arc<Listing>,
    /// What is written; absent on all ranks but the first.
    pub(crate) files: Option<Files<'a>>,
    /// Optimizer steps of each line about steps.
    pub(crate) log_every: u64,
    pub(crate) stop: StopRequest,
    pub(crate) origin: Arc<Origin>,
}

/// What a run writes while it trains.
pub(crate) struct Files<'a> {
    /// Shared, as both a step and an epoch write to it.
    pub(crate) log: RefCell<MetricsLog<'a>>,
    pub(crate) writer: Writer,
}

/// What changes while a stage trains.
pub(crate) struct Progress {
    pub(crate) network: Network,
    pub(crate) optimizer: Optimizer,
    /// What draws the weights to those the stage starts from.
    pub(crate) anchor: Option<Anchor>,
    /// The average of weights, if the stage has one.
    pub(crate) average: Option<Averaged<Network>>,
    pub(crate) state: TrainState,
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Its length is reached or it stopped improving.
    Complete,
    /// Somebody asked to stop; a checkpoint is written.
    Interrupted,
}

impl Trainer<'_> {
    /// Trains `stage` from wherever `progress` is.
    pub(crate) fn run(
        &self,
        stage: &StagePlan,
        mut progress: Progress,
        observer: &mut dyn Observer,
    ) -> Result<(Progress, Ending), Error> {
        while !progress.state.stage_done {
            progress = self.train_epoch(stage, progress, observer)?;
            if self.is_asked_to_stop()? {
                self.checkpoint(stage, &mut progress)?;
                self.wait_for_writer()?;
                return Ok((progress, Ending::Interrupted));
            }
            progress = self.finish_epoch(stage, progress, observer)?;
        }
        self.stepper.watchdog.enter(Phase::Checkpoint);
        self.wait_for_writer()?;
        self.stepper.watchdog.enter(Phase::Other);
        Ok((progress, Ending::Complete))
    }

    fn ranks(&self) -> &Ranks {
        &self.stepper.train.ranks
    }

    /// Whether somebody asked any rank to stop.
    fn is_asked_to_stop(&self) -> Result<bool, Error> {
        Ok(self.ranks().any(self.stop.is_requested())?)
    }

    /// Whether a checkpoint is due after `steps_done`, which the first rank's clock can decide.
    fn is_due(&self, stage: &StagePlan, steps_done: u64) -> Result<bool, Error> {
        let is_due =
            |files: &Files<'_>| stage.checkpoint_every.is_due(steps_done, files.writer.since());
        Ok(self.ranks().any(self.files.as_ref().is_some_and(is_due))?)
    }

    /// Returns on all ranks when the set that is being written is whole.
    fn wait_for_writer(&self) -> Result<(), Error> {
        let written = self.files.as_ref().map_or(Ok(()), |files| files.writer.wait());
        settle(self.ranks(), written)
    }

    /// The steps that remain of the epoch, or those until somebody asks to stop.
    fn train_epoch(
        &self,
        stage: &StagePlan,
        mut progress: Progress,
        observer: &mut dyn Observer,
    ) -> Result<Progress, Error> {
        let steps = stage.steps_in_epoch(progress.state.epoch);
        let mut batches = self.stepper.train.epoch(stage, &progress.state);
        while progress.state.step_in_epoch < steps && !self.is_asked_to_stop()? {
            let lr = stage.rates(stage.step(&progress.state), &progress.state).lr;
            let (began, samples_before) = (Instant::now(), progress.state.tally.samples);
            progress = self.stepper.optimizer_step(stage, progress, &mut batches, observer)?;
            let state = &mut progress.state;
            state.took(began.elapsed().as_secs_f64());
            observer.step(StepReport {
                epoch: state.epoch + 1,
                step: state.step_in_epoch,
                steps,
                images: state.tally.samples - samples_before,
                loss: state.tally.loss(),
                lr,
            });
            // A full disk is told now, not when the next checkpoint is due.
            if let Some(files) = &self.files {
                files.writer.check()?;
            }
            let ends = state.step_in_epoch == steps;
            if ends || stage.step(state).is_multiple_of(self.log_every) {
                self.log_steps(stage, state, lr)?;
            }
            // The end of an epoch has its checkpoint after validation.
            if !ends && self.is_due(stage, stage.step(&progress.state))? {
                self.checkpoint(stage, &mut progress)?;
            }
        }
        Ok(progress)
    }

    /// Validation, the record, and a checkpoint where one is due.
    fn finish_epoch(
        &self,
        stage: &StagePlan,
        progress: Progress,
        observer: &mut dyn Observer,
    ) -> Result<Progress, Error> {
        let Progress { network, optimizer, anchor, mut average, mut state } = progress;
        let began = Instant::now();
        self.stepper.watchdog.enter(Phase::Validation);
        let scores = self.score(stage, (&network, state.halvings), observer)?;
        if state.tally.samples == 0 && state.skipped_steps > 0 {
            let what = "gradients overflowed in f16 in every step of the epoch";
            return Err(stage.diverged(&state, what.to_owned()));
        }
        for (set, tally) in [("training", &state.tally), ("validation", &scores.tally)] {
            if tally.samples == 0 {
                let (stage, epoch) = (stage.name.clone(), state.epoch + 1);
                return Err(Error::NoPicture { set, stage, epoch });
            }
        }
        let steps_done = stage.step(&state);
        if !scores.tally.loss().is_finite() {
            let what = format!("the loss on the validation set is {}", scores.tally.loss());
            return Err(stage.diverged(&state, what));
        }
        let mut record = EpochRecord {
            stage: stage.name.clone(),
            epoch: state.epoch + 1,
            step: state.run_step,
            train_loss: state.tally.loss(),
            train_top1: state.tally.top1(),
            val_loss: scores.tally.loss(),
            val_top1: scores.tally.top1(),
            val_top5: scores.tally.top5(),
            val_macro_f1: macro_f1(&scores.confusion),
            average: None,
            lr: stage.rates(steps_done - 1, &state).lr,
            images_per_second: state.tally.samples as f64 / state.seconds,
            seconds: 0.0,
            data_seconds: state.data_seconds,
            checkpoint_seconds: state.checkpoint_seconds,
            device_memory_bytes: device_memory_bytes(&self.stepper.device),
            host_memory_bytes: resident_bytes(),
            unix_seconds: 0.0,
            bad_images: state.tally.bad_images + scores.tally.bad_images,
            skipped_steps: state.skipped_steps,
            rollbacks: state.rollbacks,
            halvings: state.halvings.into(),
        };
        let needs_statistics = stage.average.is_some_and(Pace::needs_statistics);
        if let Some(average) = begun(average.as_ref()).filter(|_| !needs_statistics) {
            record.average =
                self.average_scores(stage, (&average.network, state.halvings), observer)?;
        }
        let ends = stage.ends(&mut state, &record);
        if let Some(begun) = begun(average.as_ref()).filter(|_| needs_statistics && ends) {
            // Another epoch's crops.
            let next = TrainState { epoch: state.epoch + 1, step_in_epoch: 0, ..state.clone() };
            self.stepper.watchdog.enter(Phase::Other);
            let (of, frozen) = (&begun.network, &stage.params);
            let network = with_new_statistics(of, &self.stepper.train, stage, frozen, &next)?;
            record.average = self.average_scores(stage, (&network, state.halvings), observer)?;
            average = Some(Averaged { network, updates: begun.updates });
        }
        record.seconds = state.seconds + began.elapsed().as_secs_f64();
        record.unix_seconds = unix_seconds();
        let (state, is_best) = epoch_done(stage, state, &record, ends);
        self.put(&Line::Epoch(record.clone()))?;
        observer.epoch(&record);
        let mut progress = Progress { network, optimizer, anchor, average, state };
        let due = self.is_due(stage, steps_done)?;
        if is_best || due || ends {
            self.checkpoint(stage, &mut progress)?;
        }
        Ok(progress)
    }

    /// A line about the steps since the last one.
    fn log_steps(&self, stage: &StagePlan, state: &mut TrainState, lr: f64) -> Result<(), Error> {
        let UnloggedSteps { steps, tally, seconds, data_seconds } = std::mem::take(&mut state.span);
        let any = tally.samples > 0;
        let line = Line::Steps(StepsRecord {
            stage: stage.name.clone(),
            epoch: state.epoch + 1,
            step: state.run_step,
            steps,
            train_loss: any.then(|| tally.loss()),
            train_top1: any.then(|| tally.top1()),
            lr,
            images_per_second: tally.samples as f64 / seconds,
            seconds,
            data_seconds,
            device_memory_bytes: device_memory_bytes(&self.stepper.device),
            host_memory_bytes: resident_bytes(),
            unix_seconds: unix_seconds(),
        });
        state.lines += 1;
        self.put(&line)
    }

    fn put(&self, line: &Line) -> Result<(), Error> {
        self.files.as_ref().map_or(Ok(()), |files| files.log.borrow_mut().put(line))
    }

    /// The average of weights on the validation set; absent when its loss is not a number, which no record can hold.
    fn average_scores(
        &self,
        stage: &StagePlan,
        network: (&Network, u32),
        observer: &mut dyn Observer,
    ) -> Result<Option<AverageScores>, Error> {
        let scores: AverageScores = self.score(stage, network, observer)?.into();
        Ok(Some(scores).filter(|scores| scores.val_loss.is_finite()))
    }

    /// The network on the validation set, in passes that were halved so often.
    fn score(
        &self,
        stage: &StagePlan,
        (network, halvings): (&Network, u32),
        observer: &mut dyn Observer,
    ) -> Result<Scores, Error> {
        let (listing, recipe, ranks) = (&self.val, &stage.val_recipe, self.ranks());
        let test = Test { listing, recipe, stage, halvings, ranks };
        let validating = &mut |done, total| {
            self.stepper.watchdog.enter(Phase::Validation);
            observer.validating(done, total);
        };
        let loader = &self.stepper.train.loader;
        evaluate(network, &self.stepper.device, loader, &test, None, validating)
    }

    /// Copies what a checkpoint is made of and leaves it to the writer; training waits for the copy alone, unless the set
    /// before is still being written. Every rank has the same to write, and the first does.
    fn checkpoint(&self, stage: &StagePlan, progress: &mut Progress) -> Result<(), Error> {
        self.stepper.watchdog.enter(Phase::Checkpoint);
        check_copies(self.ranks(), &progress.network)?;
        let Some(files) = &self.files else { return Ok(()) };
        let began = Instant::now();
        let Progress { network, optimizer, average, state, .. } = progress;
        let (average, card) = (begun(average.as_ref()), &stage.card);
        let contents = Contents { network, average, card, optimizer, state };
        let needed = state.needed(&stage.needed_later).map(str::to_owned).collect();
        let keep = Keep { newest: stage.keep_newest, needed };
        files.writer.begin(Snapshot::take(contents, &self.origin), keep)?;
        progress.state.waited_for_checkpoint(began.elapsed().as_secs_f64());
        Ok(())
    }
}

/// An average that has been updated; before that there is nothing in it.
fn begun(average: Option<&Averaged<Network>>) -> Option<&Averaged<Network>> {
    average.filter(|average| average.updates > 0)
}

impl From<Scores> for AverageScores {
    fn from(Scores { tally, confusion }: Scores) -> Self {
        Self {
            val_loss: tally.loss(),
            val_top1: tally.top1(),
            val_top5: tally.top5(),
            val_macro_f1: macro_f1(&confusion),
        }
    }
}

impl StagePlan {
    /// Whether an epoch is the stage's last: by its length, or because it has run out of patience.
    fn ends(&self, state: &mut TrainState, record: &EpochRecord) -> bool {
        let (value, _) = self.best_by.of(record);
        let gave_up = state.patience.is_over(self.best_by, value, self.min_delta, self.patience);
        gave_up || record.epoch == self.epochs
    }
}

/// The state after an epoch, and whether that epoch is the stage's best so far.
fn epoch_done(
    stage: &StagePlan,
    mut state: TrainState,
    record: &EpochRecord,
    ends: bool,
) -> (TrainState, bool) {
    // The name of its checkpoint counts it as done.
    state.epoch += 1;
    let (value, averaged) = stage.best_by.of(record);
    let beats = |best: &Option<Best>| {
        best.as_ref().is_none_or(|best| best.is_beaten_by(stage.best_by, value))
    };
    let (checkpoint, metric) = (state.checkpoint_name(), stage.best_by);
    let this = Best { checkpoint, averaged, metric, value };
    let is_stage_best = beats(&state.stage_best);
    let also = stage.keep_best_by.iter().map(|&metric| also_best(&state, metric, record));
    let also: Vec<(Best, bool)> = also.collect();
    let is_best = is_stage_best || also.iter().any(|(_, is_new)| *is_new);
    state.also_best = also.into_iter().map(|(best, _)| best).collect();
    if beats(&state.best) {
        state.best = Some(this.clone());
    }
    if is_stage_best {
        state.stage_best = Some(this);
    }
    if let Some(plateau) = &stage.plateau {
        let measure = match plateau.mode {
            PlateauMode::Min => record.val_loss,
            PlateauMode::Max => record.val_top1,
        };
        plateau.observe(&mut state.plateau, measure);
    }
    state.step_in_epoch = 0;
    state.tally = crate::tally::Tally::default();
    state.seconds = 0.0;
    state.data_seconds = 0.0;
    state.checkpoint_seconds = 0.0;
    state.skipped_steps = 0;
    state.lines += 1;
    state.stage_done = ends;
    // The best of the run is the best of its stage.
    (state, is_best)
}

/// The best epoch by another metric of `keep_best_by`, and whether it is the one just done.
fn also_best(state: &TrainState, metric: Metric, record: &EpochRecord) -> (Best, bool) {
    let (value, averaged) = metric.of(record);
    match state.also_best.iter().find(|best| best.metric == metric) {
        Some(best) if !best.is_beaten_by(metric, value) => (best.clone(), false),
        _ => (Best { checkpoint: state.checkpoint_name(), averaged, metric, value }, true),
    }
}

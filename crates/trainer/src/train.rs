//! The training loop, top to bottom.
//!
//! One optimizer step: `accumulate` micro-batches are mixed if the stage says so and go forward and backward; the mean of
//! their gradients, drawn to the starting weights and bounded where the stage says so, is applied at the rate of that step,
//! and the average of weights follows. In f16 the loss is scaled, and a step that overflows is left out. One epoch: its
//! steps, then validation of the network and of the average, a line in `metrics.jsonl`, and a checkpoint where one is due. Everything that decides the result is a
//! function of the plan and the position in [`TrainState`], so a run continues wherever a checkpoint left it.

use crate::checkpoint::{Contents, Keep, Origin, Snapshot, TrainState, Writer};
use crate::device_memory::device_memory_bytes;
use crate::early_stopping::Best;
use crate::error::Error;
use crate::evaluate::{Scores, Test, evaluate};
use crate::new_statistics::with_new_statistics;
use crate::observer::{Observer, StepReport, StopRequest};
use crate::plan::StagePlan;
use crate::record::{AverageScores, EpochRecord};
use crate::run_directory::RunDirectory;
use crate::spec::Precision;
use crate::training_pictures::TrainingPictures;
use burn::tensor::{DType, Device, Tensor, TensorData};
use kiln_data::{Batch, Batches, Listing};
use kiln_models::Network;
use kiln_optim_schedules::{Anchor, Averaged, Gradients, Optimizer, Pace, PlateauMode};
use std::sync::Arc;
use std::time::Instant;

/// What a stage trains with.
pub(crate) struct Trainer<'a> {
    pub(crate) device: Device,
    pub(crate) train: TrainingPictures,
    pub(crate) val: Arc<Listing>,
    pub(crate) directory: &'a RunDirectory,
    pub(crate) stop: StopRequest,
    pub(crate) origin: Arc<Origin>,
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
            if self.stop.is_requested() {
                self.checkpoint(stage, &progress)?;
                self.writer.wait()?;
                return Ok((progress, Ending::Interrupted));
            }
            progress = self.finish_epoch(stage, progress, observer)?;
        }
        self.writer.wait()?;
        Ok((progress, Ending::Complete))
    }

    /// The steps that remain of the epoch, or those until somebody asks to stop.
    fn train_epoch(
        &self,
        stage: &StagePlan,
        mut progress: Progress,
        observer: &mut dyn Observer,
    ) -> Result<Progress, Error> {
        let (began, seconds_before) = (Instant::now(), progress.state.seconds);
        let steps = stage.steps_in_epoch(progress.state.epoch);
        let mut batches = self.train.epoch(stage, &progress.state);
        while progress.state.step_in_epoch < steps && !self.stop.is_requested() {
            let lr = stage.rates(stage.step(&progress.state), &progress.state).lr;
            let samples_before = progress.state.tally.samples;
            progress = self.optimizer_step(stage, progress, &mut batches)?;
            let state = &mut progress.state;
            state.seconds = seconds_before + began.elapsed().as_secs_f64();
            observer.step(StepReport {
                epoch: state.epoch + 1,
                step: state.step_in_epoch,
                steps,
                images: state.tally.samples - samples_before,
                loss: state.tally.loss(),
                lr,
            });
            // The end of an epoch has its checkpoint after validation.
            let due = stage.checkpoint_every.is_due(stage.step(state), self.writer.since());
            if due && state.step_in_epoch < steps {
                self.checkpoint(stage, &progress)?;
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
        let scores = self.score(stage, &network, observer)?;
        for (set, tally) in [("training", &state.tally), ("validation", &scores.tally)] {
            if tally.samples == 0 {
                let (stage, epoch) = (stage.name.clone(), state.epoch + 1);
                return Err(Error::NoPicture { set, stage, epoch });
            }
        }
        let steps_done = stage.step(&state);
        if !scores.tally.loss().is_finite() {
            return Err(diverged(stage, &state, scores.tally.loss()));
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
            average: None,
            lr: stage.rates(steps_done - 1, &state).lr,
            images_per_second: state.tally.samples as f64 / state.seconds,
            seconds: 0.0,
            device_memory_bytes: device_memory_bytes(&self.device),
            bad_images: state.tally.bad_images + scores.tally.bad_images,
            skipped_steps: state.skipped_steps,
        };
        let needs_statistics = stage.average.is_some_and(Pace::needs_statistics);
        if let Some(average) = begun(average.as_ref()).filter(|_| !needs_statistics) {
            record.average = self.average_scores(stage, &average.network, observer)?;
        }
        let ends = stage.ends(&mut state, &record);
        if let Some(begun) = begun(average.as_ref()).filter(|_| needs_statistics && ends) {
            // Another epoch's crops.
            let next = TrainState { epoch: state.epoch + 1, step_in_epoch: 0, ..state.clone() };
            let (of, frozen) = (&begun.network, &stage.params);
            let network = with_new_statistics(of, &self.train, stage, frozen, &next, &self.device)?;
            record.average = self.average_scores(stage, &network, observer)?;
            average = Some(Averaged { network, updates: begun.updates });
        }
        record.seconds = state.seconds + began.elapsed().as_secs_f64();
        let (state, is_best) = epoch_done(stage, state, &record, ends);
        self.directory.append_record(&record)?;
        observer.epoch(&record);
        let progress = Progress { network, optimizer, anchor, average, state };
        let due = stage.checkpoint_every.is_due(steps_done, self.writer.since());
        if is_best || due || ends {
            self.checkpoint(stage, &progress)?;
        }
        Ok(progress)
    }

    /// The average of weights on the validation set; absent when its loss is not a number, which no record can hold.
    fn average_scores(
        &self,
        stage: &StagePlan,
        network: &Network,
        observer: &mut dyn Observer,
    ) -> Result<Option<AverageScores>, Error> {
        let scores: AverageScores = self.score(stage, network, observer)?.into();
        Ok(Some(scores).filter(|scores| scores.val_loss.is_finite()))
    }

    /// The network on the validation set.
    fn score(
        &self,
        stage: &StagePlan,
        network: &Network,
        observer: &mut dyn Observer,
    ) -> Result<Scores, Error> {
        let test = Test { listing: &self.val, recipe: &stage.val_recipe, stage };
        let validating = &mut |done, total| observer.validating(done, total);
        evaluate(network, &self.device, &self.train.loader, &test, validating)
    }

    /// One optimizer step.
    fn optimizer_step(
        &self,
        stage: &StagePlan,
        progress: Progress,
        batches: &mut Batches,
    ) -> Result<Progress, Error> {
        let Progress { network, mut optimizer, anchor, mut average, mut state } = progress;
        let step = stage.step(&state);
        let network = match stage.drop_scale(step) {
            Some(scale) => network.with_drop_scale(scale),
            None => network,
        };
        let mut gradients = Gradients::default();
        let scale = stage.loss_scale(&state);
        let mut samples = 0;
        let mut loss_sum = 0.0;
        let mut overflowed = false;
        let mut kept = Vec::new();
        for (micro, batch) in batches.by_ref().take(stage.shape.accumulate() as usize).enumerate() {
            let mut batch = batch?;
            state.tally.bad_images += batch.bad.len() as u64;
            if batch.labels.is_empty() {
                continue;
            }
            self.train.seed_dropout(&self.device, &state, micro);
            let labels = self.train.mix(stage, &state, micro, &mut batch, &mut kept);
            let count = labels.len();
            let device = self.device.clone().autodiff();
            let input = pictures(batch, &device).cast(stage.precision.dtype());
            let logits = network.forward(input);
            let loss = stage.loss.sum(logits.clone(), &labels, &device);
            let batch_loss = f64::from(loss.clone().into_scalar::<f32>());
            let logits: Vec<f32> = logits.inner().into_data().iter::<f32>().collect();
            if stage.precision == Precision::F16 && !batch_loss.is_finite() {
                // A map overflowed: the step will be left out, and so are its pictures.
                overflowed = true;
                continue;
            }
            state.tally.add(&logits, &labels, batch_loss);
            let loss = if scale == 1.0 { loss } else { loss * scale };
            gradients.add(loss.backward(), &network);
            samples += count;
            loss_sum += batch_loss;
        }
        if !loss_sum.is_finite() {
            return Err(diverged(stage, &state, loss_sum / samples as f64));
        }
        let is_f16 = stage.precision == Precision::F16;
        let finite = !overflowed && (!is_f16 || gradients.global_norm().is_finite());
        let network = if samples == 0 || !finite {
            network
        } else {
            let factor = 1.0 / (samples as f64 * scale);
            let gradients = stage.finished(gradients, factor, &network, anchor.as_ref());
            optimizer.step(network, gradients, stage.rates(step, &state))
        };
        state.step_in_epoch += 1;
        state.run_step += 1;
        if is_f16 {
            state.loss_scaler.after_step(finite);
            state.skipped_steps += u64::from(!finite);
            // No scale helps: some forty steps in a row were left out.
            if state.loss_scaler.scale() < 1e-7 {
                return Err(diverged(stage, &state, f64::INFINITY));
            }
        }
        if let (Some(pace), Some(before)) = (stage.average, average.take()) {
            average = Some(match pace.part(step + 1, before.updates) {
                Some(part) => before.towards(&network, part),
                None => before,
            });
            state.average_updates = average.as_ref().map_or(0, |average| average.updates);
        }
        Ok(Progress { network, optimizer, anchor, average, state })
    }

    fn checkpoint(&self, stage: &StagePlan, progress: &Progress) -> Result<(), Error> {
        let Progress { network, optimizer, average, state, .. } = progress;
        let (average, card) = (begun(average.as_ref()), &stage.card);
        let contents = Contents { network, average, card, optimizer, state };
        let needed = state.needed(&stage.needed_later).map(str::to_owned).collect();
        let keep = Keep { newest: stage.keep_newest, needed };
        self.writer.begin(Snapshot::take(contents, &self.origin), keep)
    }
}

fn diverged(stage: &StagePlan, state: &TrainState, loss: f64) -> Error {
    let (step, epoch) = (stage.step(state) + 1, state.epoch + 1);
    Error::Diverged { stage: stage.name.clone(), epoch, step, loss }
}

/// An average that has been updated; before that there is nothing in it.
fn begun(average: Option<&Averaged<Network>>) -> Option<&Averaged<Network>> {
    average.filter(|average| average.updates > 0)
}

impl From<Scores> for AverageScores {
    fn from(Scores { tally, .. }: Scores) -> Self {
        Self { val_loss: tally.loss(), val_top1: tally.top1(), val_top5: tally.top5() }
    }
}

impl StagePlan {
    /// What the loss is multiplied by before the backward pass.
    fn loss_scale(&self, state: &TrainState) -> f64 {
        match self.precision {
            // The mean's scale, as the sum is of a whole step's pictures.
            Precision::F16 => state.loss_scaler.scale() / self.shape.effective() as f64,
            Precision::F32 | Precision::Bf16 => 1.0,
        }
    }

    /// The summed gradients as the optimizer takes them: times `factor`, which makes their mean, with the pull to the anchor,
    /// bounded.
    fn finished(
        &self,
        mut gradients: Gradients,
        mut factor: f64,
        network: &Network,
        anchor: Option<&Anchor>,
    ) -> Gradients {
        let by_value = self.max_grad_value.is_some() || self.adaptive_clip.is_some();
        if by_value || anchor.is_some() {
            gradients.scale(factor);
            factor = 1.0;
        }
        if let Some(anchor) = anchor {
            anchor.pull(network, &mut gradients);
        }
        if let Some(clip) = &self.adaptive_clip {
            let of_head = network.head_parameters();
            clip.apply(network, &mut gradients, |id| of_head.contains(&id));
        }
        if let Some(bound) = self.max_grad_value {
            gradients.clip_values(bound);
        }
        if self.max_grad_norm.is_finite() {
            factor *= Gradients::clip_factor(gradients.global_norm() * factor, self.max_grad_norm);
        }
        // Once, for the mean and the bound on the norm.
        gradients.scale(factor);
        gradients
    }

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
    state.skipped_steps = 0;
    state.records += 1;
    state.stage_done = ends;
    // The best of the run is the best of its stage.
    (state, is_stage_best)
}

/// A batch as a tensor.
///
/// # Shapes
/// `[batch, 3, height, width]`.
pub(crate) fn pictures(batch: Batch, device: &Device) -> Tensor<4> {
    let shape = batch.dims();
    Tensor::from_data(TensorData::new(batch.images, shape), (device, DType::F32))
}

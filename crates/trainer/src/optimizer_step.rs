//! One optimizer step.
//!
//! `accumulate` micro-batches are mixed if the stage says so and go forward and backward; the mean of their gradients, drawn
//! to the starting weights and bounded where the stage says so, is applied at the rate of that step, and the average of
//! weights follows. In f16 the loss is scaled, and a step that overflows is left out. In the other formats a loss or a
//! gradient that is not a number ends the training before it touches a weight.

use crate::checkpoint::TrainState;
use crate::error::Error;
use crate::plan::StagePlan;
use crate::spec::Precision;
use crate::train::{Progress, Trainer};
use crate::watchdog::Phase;
use burn::tensor::{DType, Device, Tensor, TensorData};
use kiln_data::{Batch, Batches};
use kiln_models::Network;
use kiln_optim_schedules::{Anchor, Gradients};
use std::time::Instant;

impl Trainer<'_> {
    /// One optimizer step on the next micro-batches.
    pub(crate) fn optimizer_step(
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
        let is_f16 = stage.precision == Precision::F16;
        let mut gradients = Gradients::default();
        let scale = stage.loss_scale(&state);
        let mut samples = 0;
        let mut overflowed = false;
        let mut kept = Vec::new();
        let mut indices = Vec::new();
        for micro in 0..stage.shape.accumulate() as usize {
            let Some(mut batch) = self.next_batch(&mut state, batches)? else { break };
            state.count_bad(batch.bad.len());
            if batch.labels.is_empty() {
                continue;
            }
            self.train.seed_dropout(&self.device, &state, micro);
            let labels = self.train.mix(stage, &state, micro, &mut batch, &mut kept);
            let count = labels.len();
            indices.append(&mut batch.indices);
            let device = self.device.clone().autodiff();
            let input = pictures(batch, &device).cast(stage.precision.dtype());
            let logits = network.forward(input);
            let loss = stage.loss.sum(logits.clone(), &labels, &device);
            let batch_loss = f64::from(loss.clone().into_scalar::<f32>());
            let logits: Vec<f32> = logits.inner().into_data().iter::<f32>().collect();
            if !batch_loss.is_finite() && !is_f16 {
                let names = self.in_words(&indices[indices.len() - count..]);
                let (number, all) = (micro + 1, stage.shape.accumulate());
                let what =
                    format!("the loss of micro-batch {number} of {all} ({names}) is {batch_loss}");
                return Err(stage.diverged(&state, what));
            }
            if !batch_loss.is_finite() {
                // A map overflowed: the step will be left out, and so are its pictures.
                overflowed = true;
                continue;
            }
            state.count(&logits, &labels, batch_loss);
            let loss = if scale == 1.0 { loss } else { loss * scale };
            gradients.add(loss.backward(), &network);
            samples += count;
        }
        let norm = gradients.global_norm();
        let finite = !overflowed && norm.is_finite();
        if !finite && !is_f16 {
            let names = self.in_words(&indices);
            let what = format!("the norm of the gradients of a batch ({names}) is {norm}");
            return Err(stage.diverged(&state, what));
        }
        let network = if samples == 0 || !finite {
            network
        } else {
            let factor = 1.0 / (samples as f64 * scale);
            let gradients = stage.finished(gradients, norm, factor, &network, anchor.as_ref());
            optimizer.step(network, gradients, stage.rates(step, &state))
        };
        state.step_in_epoch += 1;
        state.run_step += 1;
        if is_f16 {
            state.loss_scaler.after_step(finite);
            state.skipped_steps += u64::from(!finite);
            // No scale helps: some forty steps in a row were left out.
            if state.loss_scaler.scale() < 1e-7 {
                let what = "gradients overflow in f16 at every scale of the loss";
                return Err(stage.diverged(&state, what.to_owned()));
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

    /// The next micro-batch, and in `state` the time that it was waited for.
    fn next_batch(
        &self,
        state: &mut TrainState,
        batches: &mut Batches,
    ) -> Result<Option<Batch>, Error> {
        self.watchdog.enter(Phase::Pictures);
        let began = Instant::now();
        let batch = batches.next().transpose()?;
        state.waited_for_data(began.elapsed().as_secs_f64());
        self.watchdog.enter(Phase::Step);
        Ok(batch)
    }

    /// Some pictures, for people who look for the one that is to blame.
    fn in_words(&self, indices: &[u32]) -> String {
        const NAMED: usize = 3;
        let names = indices.iter().take(NAMED).map(|&index| self.train.listing.name(index));
        let names = names.collect::<Vec<_>>().join(", ");
        match indices.len().saturating_sub(NAMED) {
            0 => names,
            more => format!("{names} and {more} more"),
        }
    }
}

impl StagePlan {
    /// The error of a step that cannot be done.
    pub(crate) fn diverged(&self, state: &TrainState, what: String) -> Error {
        let (step, epoch) = (self.step(state) + 1, state.epoch + 1);
        Error::Diverged { what, stage: self.name.clone(), epoch, step }
    }

    /// What the loss is multiplied by before the backward pass.
    fn loss_scale(&self, state: &TrainState) -> f64 {
        match self.precision {
            // The mean's scale, as the sum is of a whole step's pictures.
            Precision::F16 => state.loss_scaler.scale() / self.shape.effective() as f64,
            Precision::F32 | Precision::Bf16 => 1.0,
        }
    }

    /// The summed gradients, of the global norm `norm`, as the optimizer takes them: times `factor`, which makes their mean,
    /// with the pull to the anchor, bounded.
    fn finished(
        &self,
        mut gradients: Gradients,
        norm: f64,
        mut factor: f64,
        network: &Network,
        anchor: Option<&Anchor>,
    ) -> Gradients {
        let by_value = self.max_grad_value.is_some() || self.adaptive_clip.is_some();
        let others = by_value || anchor.is_some();
        if others {
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
            let norm = if others { gradients.global_norm() } else { norm };
            factor *= Gradients::clip_factor(norm * factor, self.max_grad_norm);
        }
        // Once, for the mean and the bound on the norm.
        gradients.scale(factor);
        gradients
    }
}

/// A batch as a tensor.
///
/// # Shapes
/// `[batch, 3, height, width]`.
pub(crate) fn pictures(batch: Batch, device: &Device) -> Tensor<4> {
    let shape = batch.dims();
    Tensor::from_data(TensorData::new(batch.images, shape), (device, DType::F32))
}

//! One optimizer step.
//!
//! The mean of the gradients (`step_gradients.rs`), drawn to the starting weights and bounded where the stage says so, is
//! applied at the rate of that step, and the average of weights follows. In f16 the loss is scaled, and a step that overflows
//! is left out. In the other formats a loss or a gradient that is not a number ends the training before it touches a weight.

use crate::checkpoint::TrainState;
use crate::device_read::on_device;
use crate::error::Error;
use crate::feed::Feed;
use crate::observer::Observer;
use crate::plan::StagePlan;
use crate::spec::Precision;
use crate::step_gradients::StepGradients;
use crate::train::Progress;
use crate::training_pictures::TrainingPictures;
use crate::watchdog::Watchdog;
use burn::tensor::Device;
use kiln_models::{Network, SyncNorm};
use kiln_optim_schedules::{Anchor, Gradients};

/// What optimizer steps need.
pub(crate) struct Stepper {
    pub(crate) device: Device,
    pub(crate) train: TrainingPictures,
    pub(crate) watchdog: Watchdog,
    /// What the network's norms have in common with those of other ranks.
    pub(crate) sync: Option<SyncNorm>,
}

impl Stepper {
    /// One optimizer step on the next micro-batches.
    pub(crate) fn optimizer_step(
        &self,
        stage: &StagePlan,
        progress: Progress,
        batches: &mut Feed,
        observer: &mut dyn Observer,
    ) -> Result<Progress, Error> {
        let Progress { network, mut optimizer, anchor, mut average, mut state } = progress;
        let step = stage.step(&state);
        let network = match stage.drop_scale(step) {
            Some(scale) => network.with_drop_scale(scale),
            None => network,
        };
        let (network, StepGradients { gradients, norm, tally, finite, .. }) =
            self.step_gradients(stage, network, &mut state, batches, observer)?;
        let network = if tally.samples == 0 || !finite {
            network
        } else {
            let factor = 1.0 / (tally.samples as f64 * stage.loss_scale(&state));
            let gradients = stage.finished(gradients, norm, factor, &network, anchor.as_ref())?;
            let network = optimizer.step(network, gradients, stage.rates(step, &state));
            if step == 0 {
                // The optimizer's own tensors are made now. If there is no memory for them, smaller passes are no help.
                on_device(self.device.sync())?;
            }
            network
        };
        state.step_in_epoch += 1;
        state.run_step += 1;
        if stage.precision == Precision::F16 {
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
}

impl StagePlan {
    /// The error of a step that cannot be done.
    pub(crate) fn diverged(&self, state: &TrainState, what: String) -> Error {
        let (step, epoch) = (self.step(state) + 1, state.epoch + 1);
        Error::Diverged { what, stage: self.name.clone(), epoch, step }
    }

    /// What the loss is multiplied by before the backward pass.
    pub(crate) fn loss_scale(&self, state: &TrainState) -> f64 {
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
    ) -> Result<Gradients, Error> {
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
            let norm = if others { on_device(gradients.global_norm())? } else { norm };
            factor *= Gradients::clip_factor(norm * factor, self.max_grad_norm);
        }
        // Once, for the mean and the bound on the norm.
        gradients.scale(factor);
        Ok(gradients)
    }
}

//! What a training step sees: micro-batches in the plan's order, mixed where the stage says so, with the seeds of dropout.
//!
//! All of it is a function of the seed and the position in [`TrainState`].

use crate::checkpoint::TrainState;
use crate::plan::StagePlan;
use burn::tensor::Device;
use kiln_augment::mix::{Layout, MixedLabel};
use kiln_augment::{Domain, RandomKey};
use kiln_data::{Batch, BatchPlan, Batches, Listing, Loader, SampleKeys};
use std::sync::Arc;

/// The training pictures of a run.
#[derive(Debug)]
pub(crate) struct TrainingPictures {
    pub(crate) seed: u64,
    pub(crate) loader: Loader,
    pub(crate) listing: Arc<Listing>,
}

impl TrainingPictures {
    /// The rest of the epoch's micro-batches, in order.
    pub(crate) fn epoch(&self, stage: &StagePlan, state: &TrainState) -> Batches {
        // Unique over the stages of a run, so that no two epochs see the same order or the same crops.
        let epoch = ((state.stage as u64) << 32) | state.epoch;
        let count = self.listing.count();
        let plan = BatchPlan::training(self.seed, epoch, count, stage.shape, state.step_in_epoch);
        let keys = SampleKeys::training(self.seed, epoch);
        self.loader.run(self.listing.clone(), plan, stage.train_recipe(state.epoch).clone(), keys)
    }

    /// Mixes the pictures of a micro-batch where the stage says so, and returns what they show.
    pub(crate) fn mix(
        &self,
        stage: &StagePlan,
        state: &TrainState,
        micro: usize,
        batch: &mut Batch,
        kept: &mut Vec<f32>,
    ) -> Vec<MixedLabel> {
        match stage.mixing {
            Some(mix) if stage.step(state) < stage.mixing_steps => {
                let draw = mix.draw(
                    batch.len(),
                    batch.size,
                    &mut self.key(Domain::Mix, state, micro).rng(0),
                );
                draw.apply(&mut batch.images, batch.size, Layout::Planar, kept);
                draw.labels(&batch.labels)
            }
            _ => batch.labels.iter().copied().map(MixedLabel::pure).collect(),
        }
    }

    /// Makes dropout a function of the position: the device's generator is seeded before each micro-batch.
    pub(crate) fn seed_dropout(&self, device: &Device, state: &TrainState, micro: usize) {
        device.seed(self.key(Domain::Dropout, state, micro).rng(0).bits());
    }

    fn key(&self, domain: Domain, state: &TrainState, micro: usize) -> RandomKey {
        RandomKey { seed: self.seed, domain, epoch: state.run_step, index: micro as u64 }
    }
}

//! What a training step sees: micro-batches in the plan's order, mixed where the stage says so, with the seeds of dropout.
//!
//! All of it is a function of the seed and the position in [`TrainState`].

use crate::checkpoint::TrainState;
use crate::plan::StagePlan;
use burn::tensor::Device;
use kiln_augment::mix::{Layout, MixedLabel};
use kiln_augment::{Domain, RandomKey};
use kiln_data::{Batch, BatchPlan, Batches, Listing, Loader, SampleKeys};
use kiln_parallel::Ranks;
use std::sync::Arc;

/// The training pictures of a run.
#[derive(Debug)]
pub(crate) struct TrainingPictures {
    pub(crate) seed: u64,
    pub(crate) loader: Loader,
    pub(crate) listing: Arc<Listing>,
    /// This rank, which takes its share, and the others.
    pub(crate) ranks: Ranks,
}

/// A micro-batch of a step that a rank has something to do in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MicroBatch {
    /// Its number among those of the step.
    pub(crate) number: usize,
    /// Whether this rank has pictures in it; the last step of an epoch may have too few for all ranks.
    pub(crate) is_own: bool,
}

impl TrainingPictures {
    /// This rank's share of the rest of the epoch's micro-batches, in order.
    pub(crate) fn epoch(&self, stage: &StagePlan, state: &TrainState) -> Batches {
        let (rank, ranks) = (self.ranks.rank(), self.ranks.size());
        self.load(stage, state, |plan| plan.of_rank(stage.shape, rank, ranks))
    }

    /// All ranks' micro-batches.
    pub(crate) fn whole_epoch(&self, stage: &StagePlan, state: &TrainState) -> Batches {
        self.load(stage, state, |plan| plan)
    }

    /// The micro-batches of the step that this rank takes: as many as every other rank.
    pub(crate) fn micro_batches(
        &self,
        stage: &StagePlan,
        state: &TrainState,
    ) -> impl Iterator<Item = MicroBatch> + use<> {
        let effective = stage.shape.effective();
        let left = u64::from(self.listing.count()).saturating_sub(state.step_in_epoch * effective);
        let there = left.min(effective).div_ceil(u64::from(stage.shape.micro()));
        let there = usize::try_from(there).unwrap_or(usize::MAX);
        let (rank, ranks) = (self.ranks.rank(), self.ranks.size());
        (0..there).step_by(ranks).map(move |round| {
            let number = round + rank;
            MicroBatch { number, is_own: number < there }
        })
    }

    fn load(
        &self,
        stage: &StagePlan,
        state: &TrainState,
        share: impl Fn(BatchPlan) -> BatchPlan,
    ) -> Batches {
        // Unique over the stages of a run, so that no two epochs see the same order or the same crops.
        let epoch = ((state.stage as u64) << 32) | state.epoch;
        let count = self.listing.count();
        let plan = BatchPlan::training(self.seed, epoch, count, stage.shape, state.step_in_epoch);
        let keys = SampleKeys::training(self.seed, epoch);
        let plan = share(plan);
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

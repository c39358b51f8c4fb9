//! What a training step sees: micro-batches in the plan's order, mixed where the stage says so, with the seeds of dropout.
//!
//! All of it is a function of the seed and the position in [`TrainState`].

use crate::checkpoint::TrainState;
use crate::feed::Feed;
use crate::plan::StagePlan;
use burn::tensor::Device;
use kiln_augment::mix::{MixDraw, MixedLabel};
use kiln_augment::{Domain, RandomKey, Size};
use kiln_data::{BatchPlan, Batches, Listing, Loader, SampleKeys};
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
    /// Where the network is.
    pub(crate) device: Device,
}

/// A micro-batch of a step that a rank has something to do in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MicroBatch {
    /// Its number among those of the step.
    pub(crate) number: usize,
    /// Whether this rank has pictures in it; the last step of an epoch may have too few for all ranks.
    pub(crate) is_own: bool,
    /// How many micro-batches of the step come behind it, on whatever rank.
    behind: usize,
    /// Pictures in each of these but the last.
    micro: usize,
    /// Pictures in the step's last one.
    last: usize,
}

impl MicroBatch {
    /// The pictures of each micro-batch of the step behind this one, on whatever rank.
    pub(crate) fn pictures_behind(self) -> impl Iterator<Item = usize> {
        let size = move |place| if place + 1 == self.behind { self.last } else { self.micro };
        (0..self.behind).map(size)
    }
}

impl TrainingPictures {
    /// This rank's share of the rest of the epoch's micro-batches, in order.
    pub(crate) fn epoch(&self, stage: &StagePlan, state: &TrainState) -> Feed {
        let (rank, ranks) = (self.ranks.rank(), self.ranks.size());
        self.feed(stage, state, self.plan(stage, state).of_rank(stage.shape, rank, ranks))
    }

    /// All ranks' micro-batches.
    pub(crate) fn whole_epoch(&self, stage: &StagePlan, state: &TrainState) -> Feed {
        self.feed(stage, state, self.plan(stage, state))
    }

    /// The same in memory.
    pub(crate) fn host_batches(&self, stage: &StagePlan, state: &TrainState) -> Batches {
        let (plan, keys) = (self.plan(stage, state), self.keys(state));
        let recipe = stage.train_recipe(state.epoch).clone();
        self.loader.run(self.listing.clone(), plan, recipe, keys)
    }

    /// The micro-batches of the step that this rank takes: as many as every other rank.
    pub(crate) fn micro_batches(
        &self,
        stage: &StagePlan,
        state: &TrainState,
    ) -> impl Iterator<Item = MicroBatch> + use<> {
        let effective = stage.shape.effective();
        let left = u64::from(self.listing.count()).saturating_sub(state.step_in_epoch * effective);
        let pictures = usize::try_from(left.min(effective)).unwrap_or(usize::MAX);
        let micro = stage.shape.micro() as usize;
        let there = pictures.div_ceil(micro);
        let last = pictures - micro * there.saturating_sub(1);
        let (rank, ranks) = (self.ranks.rank(), self.ranks.size());
        (0..there).step_by(ranks).map(move |round| {
            let number = round + rank;
            let behind = there.saturating_sub(number + 1);
            MicroBatch { number, is_own: number < there, behind, micro, last }
        })
    }

    fn feed(&self, stage: &StagePlan, state: &TrainState, plan: BatchPlan) -> Feed {
        let (recipe, keys) = (stage.train_recipe(state.epoch), self.keys(state));
        Feed::start(&self.loader, (&self.listing, plan), recipe, keys, &self.device)
    }

    fn plan(&self, stage: &StagePlan, state: &TrainState) -> BatchPlan {
        let (epoch, count) = (epoch_of_run(state), self.listing.count());
        BatchPlan::training(self.seed, epoch, count, stage.shape, state.step_in_epoch)
    }

    fn keys(&self, state: &TrainState) -> SampleKeys {
        SampleKeys::training(self.seed, epoch_of_run(state))
    }

    /// How the `count` pictures of a micro-batch are mixed, where the stage says so.
    pub(crate) fn draw(
        &self,
        stage: &StagePlan,
        state: &TrainState,
        micro: usize,
        (count, size): (usize, Size),
    ) -> Option<MixDraw> {
        let mix = stage.mixing.filter(|_| stage.step(state) < stage.mixing_steps)?;
        Some(mix.draw(count, size, &mut self.key(Domain::Mix, state, micro).rng(0)))
    }

    /// Makes dropout a function of the position: the device's generator is seeded before each micro-batch.
    pub(crate) fn seed_dropout(&self, state: &TrainState, micro: usize) {
        self.device.seed(self.key(Domain::Dropout, state, micro).rng(0).bits());
    }

    fn key(&self, domain: Domain, state: &TrainState, micro: usize) -> RandomKey {
        RandomKey { seed: self.seed, domain, epoch: state.run_step, index: micro as u64 }
    }
}

/// Unique over the stages of a run, so that no two epochs see the same order or the same crops.
fn epoch_of_run(state: &TrainState) -> u64 {
    ((state.stage as u64) << 32) | state.epoch
}

/// What mixed pictures show, or those of which no mixing was drawn.
pub(crate) fn labels(classes: &[u32], draw: Option<&MixDraw>) -> Vec<MixedLabel> {
    match draw {
        Some(draw) => draw.labels(classes),
        None => classes.iter().copied().map(MixedLabel::pure).collect(),
    }
}

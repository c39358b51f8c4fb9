//! Batch norm's statistics for weights that nobody trained: averages.

use crate::checkpoint::TrainState;
use crate::error::Error;
use crate::parameter_rules::ParameterRules;
use crate::plan::StagePlan;
use crate::training_pictures::TrainingPictures;
use burn::module::Module as _;
use kiln_models::{Network, StatisticsPass};

/// `network`, which is on the plain device, with the statistics that its batch norms find in the epoch of the training
/// pictures where `state` is. Those of batch norms that `frozen` keeps stay.
pub(crate) fn with_new_statistics(
    network: &Network,
    train: &TrainingPictures,
    stage: &StagePlan,
    frozen: &ParameterRules,
    state: &TrainState,
) -> Result<Network, Error> {
    // As far as dropout is at this place, which a network from a file does not know.
    let drops = stage.drop_scale(stage.step(state)).unwrap_or_default();
    // Every rank does all of it, and comes to the same.
    let network = network.clone().with_sync_norm(None).train();
    let network = frozen.apply(network).with_drop_scale(drops);
    let mut pass = StatisticsPass::new(network, |name| frozen.keeps_statistics(name));
    let mut batches = train.whole_epoch(stage, state);
    let in_pass = stage.pictures_in_pass(&train.device, state.halvings) as usize;
    for micro in 0.. {
        let Some(batch) = batches.next() else { break };
        let batch = batch?;
        let count = batch.labels.len();
        if count == 0 {
            continue;
        }
        train.seed_dropout(state, micro);
        let device = train.device.clone().autodiff();
        let mut input = batch.into_input(None, &mut Vec::new());
        for begin in (0..count).step_by(in_pass) {
            pass = pass.observe(input.part(begin..count.min(begin + in_pass), &device));
        }
        batches.prepare_next();
    }
    Ok(pass.finish().valid())
}

//! Batch norm's statistics for weights that nobody trained: averages.

use crate::checkpoint::TrainState;
use crate::error::Error;
use crate::parameter_rules::ParameterRules;
use crate::plan::StagePlan;
use crate::step_gradients::pictures;
use crate::training_pictures::TrainingPictures;
use burn::module::Module as _;
use burn::tensor::Device;
use kiln_models::{Network, StatisticsPass};

/// `network`, which is on the plain device, with the statistics that its batch norms find in the epoch of the training
/// pictures where `state` is. Those of batch norms that `frozen` keeps stay.
pub(crate) fn with_new_statistics(
    network: &Network,
    train: &TrainingPictures,
    stage: &StagePlan,
    frozen: &ParameterRules,
    state: &TrainState,
    device: &Device,
) -> Result<Network, Error> {
    // As far as dropout is at this place, which a network from a file does not know.
    let drops = stage.drop_scale(stage.step(state)).unwrap_or_default();
    // Every rank does all of it, and comes to the same.
    let network = network.clone().with_sync_norm(None).train();
    let network = frozen.apply(network).with_drop_scale(drops);
    let mut pass = StatisticsPass::new(network, |name| frozen.keeps_statistics(name));
    for (micro, batch) in train.whole_epoch(stage, state).enumerate() {
        let batch = batch?;
        if batch.labels.is_empty() {
            continue;
        }
        train.seed_dropout(device, state, micro);
        let in_pass = stage.pictures_in_pass(device, state.halvings);
        for batch in batch.split(in_pass as usize) {
            pass = pass.observe(pictures(batch, &device.clone().autodiff()));
        }
    }
    Ok(pass.finish().valid())
}

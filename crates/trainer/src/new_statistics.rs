//! Batch norm's statistics for weights that nobody trained: averages.

use crate::checkpoint::TrainState;
use crate::error::Error;
use crate::plan::StagePlan;
use crate::train::pictures;
use crate::training_pictures::TrainingPictures;
use burn::module::Module as _;
use burn::tensor::Device;
use kiln_models::{Network, StatisticsPass};

/// `network`, which is on the plain device, with the statistics that its batch norms find in the epoch of the training
/// pictures where `state` is.
pub(crate) fn with_new_statistics(
    network: &Network,
    train: &TrainingPictures,
    stage: &StagePlan,
    state: &TrainState,
    device: &Device,
) -> Result<Network, Error> {
    let network = stage.params.apply(network.clone().train());
    let mut pass = StatisticsPass::new(network, |name| stage.params.keeps_statistics(name));
    for (micro, batch) in train.epoch(stage, state).enumerate() {
        let batch = batch?;
        if !batch.labels.is_empty() {
            train.seed_dropout(device, state, micro);
            pass = pass.observe(pictures(batch, &device.clone().autodiff()));
        }
    }
    Ok(pass.finish().valid())
}

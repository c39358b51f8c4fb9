//! What the ranks of a job found in a step becomes what all of them go on with.
//!
//! The gradients are added up in buckets, the counts of pictures and losses too, and batch norm's running statistics become
//! the mean of the ranks', unless the norms were synchronised and have them in common already.

use crate::checkpoint::{TrainState, sha256};
use crate::device_read::on_device;
use crate::error::Error;
use crate::optimizer_step::Stepper;
use crate::plan::StagePlan;
use crate::ranks::agree;
use crate::step_gradients::StepGradients;
use crate::tally::Tally;
use burn::module::Module as _;
use burn::tensor::{Device, Tensor, TensorData};
use kiln_models::{Network, RunningStatistics, state_dict};
use kiln_parallel::Ranks;
use serde::{Deserialize, Serialize};

/// Values of gradients that are added up at a time: 16 MiB.
const BUCKET: usize = 4 << 20;

/// What a rank tells the others of its step.
#[derive(Serialize, Deserialize)]
struct Told {
    tally: Tally,
    finite: bool,
    halvings: u32,
    trouble: Option<Trouble>,
}

/// Why a rank has no gradients.
#[derive(Serialize, Deserialize)]
enum Trouble {
    /// A loss or a gradient is no number, of which a run may recover.
    Diverged(String),
    Other(String),
}

impl Stepper {
    /// The gradients of all ranks' pictures, from this one's; `before` are batch norm's statistics before the step.
    ///
    /// # Errors
    /// This rank's own, or what it was told of another's.
    pub(crate) fn with_the_others(
        &self,
        stage: &StagePlan,
        network: Network,
        state: &mut TrainState,
        before: &RunningStatistics,
        own: Result<StepGradients, Error>,
    ) -> Result<(Network, StepGradients), Error> {
        let ranks = &self.train.ranks;
        if ranks.is_alone() {
            return Ok((network, own?));
        }
        let (sum, trouble) = match own {
            Ok(sum) => (Ok(sum), None),
            Err(error) => {
                let trouble = match &error {
                    Error::Diverged { what, .. } => Trouble::Diverged(what.clone()),
                    other => Trouble::Other(other.to_string()),
                };
                (Err(error), Some(trouble))
            }
        };
        let told = Told {
            tally: sum.as_ref().map(|sum| sum.tally.clone()).unwrap_or_default(),
            finite: sum.as_ref().is_ok_and(|sum| sum.finite),
            halvings: state.halvings,
            trouble,
        };
        let message = serde_json::to_vec(&told).unwrap_or_default();
        let all = ranks.gather(&message)?;
        let mut sum = sum?;
        let (mut tally, mut finite) = (Tally::default(), true);
        for (rank, message) in all.iter().enumerate() {
            let told: Told = serde_json::from_slice(message)
                .map_err(|error| Error::OtherRank { rank, problem: error.to_string() })?;
            match told.trouble {
                Some(Trouble::Diverged(what)) => {
                    return Err(stage.diverged(state, format!("rank {rank}: {what}")));
                }
                Some(Trouble::Other(problem)) => return Err(Error::OtherRank { rank, problem }),
                None => {}
            }
            tally.merge(&told.tally);
            finite &= told.finite;
            state.halvings = state.halvings.max(told.halvings);
        }
        (sum.tally, sum.finite) = (tally, finite);
        let network = self.mean_statistics(network, before)?;
        if sum.finite && sum.tally.samples > 0 {
            sum.gradients.complete(&network);
            let device = &self.device;
            sum.gradients.replace_joined(BUCKET, |bucket| summed(ranks, bucket, device))?;
            sum.norm = on_device(sum.gradients.global_norm())?;
            sum.finite = sum.norm.is_finite();
            stage.check_norm(&sum, state, "all ranks' pictures")?;
        }
        Ok((network, sum))
    }

    /// The network with the mean of the ranks' running statistics.
    fn mean_statistics(
        &self,
        network: Network,
        before: &RunningStatistics,
    ) -> Result<Network, Error> {
        if self.sync.is_some() {
            return Ok(network);
        }
        let after = RunningStatistics::of(&network);
        let (Some(then), Some(now)) = (before.joined(), after.joined()) else {
            return Ok(network);
        };
        // Of what was added in this step, so that statistics that stand still keep their bits.
        let ranks = &self.train.ranks;
        let added = summed(ranks, now - then.clone(), &self.device)?;
        let mean = then + added.div_scalar(ranks.size() as f64);
        Ok(after.with_values(&mean).put_back(network))
    }
}

/// The sum of the ranks' tensors.
///
/// # Shapes
/// `[values]` to `[values]`.
fn summed(ranks: &Ranks, own: Tensor<1>, device: &Device) -> Result<Tensor<1>, Error> {
    let mut values: Vec<f32> = on_device(own.try_into_data())?.iter::<f32>().collect();
    ranks.sum(&mut values)?;
    let length = values.len();
    Ok(Tensor::from_data(TensorData::new(values, [length]), device))
}

/// Whether all ranks still have the same network, to the bit: what one of them writes is then what all of them have.
///
/// # Errors
/// [`Error::RanksDiffer`] otherwise: a fault of a machine or of this program.
pub(crate) fn check_copies(ranks: &Ranks, network: &Network) -> Result<(), Error> {
    if ranks.is_alone() {
        return Ok(());
    }
    let mut bytes = Vec::new();
    for named in state_dict(&network.valid()) {
        bytes.extend(named.values.iter().flat_map(|value| value.to_le_bytes()));
    }
    agree(ranks, "the network", &sha256(&bytes))
}

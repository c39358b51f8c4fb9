//! What the ranks of a job found in a step becomes what all of them go on with.
//!
//! The gradients are added up in buckets, the counts of pictures and losses too, and what each rank adds to batch norm's
//! running statistics (`statistics_share.rs`), unless the norms were synchronised and have them in common already.

use crate::checkpoint::{TrainState, sha256};
use crate::device_read::on_device;
use crate::error::Error;
use crate::optimizer_step::Stepper;
use crate::plan::StagePlan;
use crate::step_gradients::StepGradients;
use crate::tally::Tally;
use crate::watchdog::Phase;
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
    /// With its exit code.
    Other(String, u8),
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
                    other => Trouble::Other(other.to_string(), other.exit_code()),
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
        self.watchdog.enter(Phase::Ranks);
        let all = ranks.gather(&message)?;
        self.watchdog.enter(Phase::Step);
        let mut sum = sum?;
        let (mut tally, mut finite) = (Tally::default(), true);
        for (rank, message) in all.iter().enumerate() {
            let told: Told =
                serde_json::from_slice(message).map_err(|error| Error::other_rank(rank, &error))?;
            match told.trouble {
                Some(Trouble::Diverged(what)) => {
                    return Err(stage.diverged(state, format!("rank {rank}: {what}")));
                }
                Some(Trouble::Other(problem, code)) => {
                    return Err(Error::OtherRank { rank, problem, code });
                }
                None => {}
            }
            tally.merge(&told.tally);
            finite &= told.finite;
            state.halvings = state.halvings.max(told.halvings);
        }
        (sum.tally, sum.finite) = (tally, finite);
        let network = self.with_statistics(network, before, sum.statistics.take())?;
        if sum.finite && sum.tally.samples > 0 {
            sum.gradients.complete(&network);
            let mut squares = 0.0;
            sum.gradients.replace_joined(BUCKET, |bucket| {
                let (bucket, of_bucket) = summed(ranks, bucket, &self.device)?;
                squares += of_bucket;
                Ok::<_, Error>(bucket)
            })?;
            // From the same numbers on every rank, for devices may add in an order of their own.
            sum.norm = f64::sqrt(squares);
            sum.finite = sum.norm.is_finite();
            stage.check_norm(&sum, state, "all ranks' pictures")?;
        }
        Ok((network, sum))
    }

    /// The network with the statistics of all ranks' micro-batches.
    fn with_statistics(
        &self,
        network: Network,
        before: &RunningStatistics,
        own: Option<Tensor<1>>,
    ) -> Result<Network, Error> {
        if self.sync.is_some() {
            return Ok(network);
        }
        let Some(then) = before.joined() else { return Ok(network) };
        let own = own.unwrap_or_else(|| then.zeros_like());
        let (moved, _) = summed(&self.train.ranks, own, &self.device)?;
        Ok(before.with_values(&(then + moved)).put_back(network))
    }
}

/// The sum of the ranks' tensors, and that of the squares of its values.
///
/// # Shapes
/// `[values]` to `[values]`.
fn summed(ranks: &Ranks, own: Tensor<1>, device: &Device) -> Result<(Tensor<1>, f64), Error> {
    let mut values: Vec<f32> = on_device(own.try_into_data())?.iter::<f32>().collect();
    ranks.sum(&mut values)?;
    let squares = values.iter().map(|value| f64::from(*value).powi(2)).sum();
    let length = values.len();
    Ok((Tensor::from_data(TensorData::new(values, [length]), device), squares))
}

/// Whether all ranks still have the same network, to the bit: what one of them writes is then what all of them have.
///
/// # Errors
/// [`Error::CopiesDiffer`] otherwise.
pub(crate) fn check_copies(ranks: &Ranks, network: &Network) -> Result<(), Error> {
    if ranks.is_alone() {
        return Ok(());
    }
    let mut bytes = Vec::new();
    for named in state_dict(&network.valid()) {
        bytes.extend(named.values.iter().flat_map(|value| value.to_le_bytes()));
    }
    let sums = ranks.gather(sha256(&bytes).as_bytes())?;
    match sums.iter().position(|sum| *sum != sums[0]) {
        Some(rank) => Err(Error::CopiesDiffer { rank }),
        None => Ok(()),
    }
}

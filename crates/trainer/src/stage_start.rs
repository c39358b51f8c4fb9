//! The weights that a stage starts from, for what refers to them while it trains.

use crate::checkpoint::{self, TrainState, sha256};
use crate::error::Error;
use crate::plan::StagePlan;
use crate::run_directory::RunDirectory;
use burn::module::Module as _;
use kiln_models::Network;
use kiln_optim_schedules::Anchor;

/// What draws the weights of the stage that `state` is in to those it starts from, if anything does. They are written
/// into the run's directory when the stage begins, by the rank that `writes`, and read from there when it is resumed.
///
/// # Errors
/// [`Error::RunDirectory`] and [`Error::Checkpoint`] when the file cannot be written or read.
pub(crate) fn anchor(
    stage: &StagePlan,
    network: &Network,
    state: &mut TrainState,
    (resumed, writes): (bool, bool),
    directory: &RunDirectory,
) -> Result<Option<Anchor>, Error> {
    if stage.l2_sp.is_none() {
        return Ok(None);
    }
    let name = format!("stage{:02}-start.safetensors", state.stage + 1);
    let path = directory.path().join(&name);
    // A copy, whose parameters are known by the same ids.
    let mut start = network.valid();
    if resumed {
        let bytes = std::fs::read(&path).map_err(|error| Error::run_directory(&path, error))?;
        if state.anchor_sha256 != Some(sha256(&bytes)) {
            let problem = "is damaged: it is not what the stage began with";
            return Err(Error::run_directory(&path, problem));
        }
        start = checkpoint::read_into(start, &path, &bytes)?;
    } else {
        let bytes = checkpoint::model_bytes(&path, network, &stage.card)?;
        if writes {
            directory.write(&name, &bytes)?;
        }
        state.anchor_sha256 = Some(sha256(&bytes));
    }
    Ok(stage.anchor(&start))
}

impl StagePlan {
    /// What draws weights to those of `start`, if anything does.
    pub(crate) fn anchor(&self, start: &Network) -> Option<Anchor> {
        let of_head = start.head_parameters();
        Some(Anchor::new(self.l2_sp.clone()?, start, |id| of_head.contains(&id)))
    }
}

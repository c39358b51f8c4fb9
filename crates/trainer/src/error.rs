//! Everything that can stop a run, by whose fault it is.

use kiln_data::Fault;
use std::path::{Path, PathBuf};

/// Errors of this crate. Each kind has its exit code: see [`Error::exit_code`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A configuration is wrong: unknown key, value out of range, contradiction.
    #[error("{origin}: {path}: {problem}")]
    Config {
        /// The file, environment variable or flag that says so.
        origin: String,
        /// Where in it, such as `stage.train.pipeline[2] (color_jitter)`.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// A configuration cannot be read at all.
    #[error("{origin}: {problem}")]
    Unreadable {
        /// The file, environment variable or flag.
        origin: String,
        /// What is wrong.
        problem: String,
    },
    /// The pictures are at fault.
    #[error(transparent)]
    Data(#[from] kiln_data::Error),
    /// Not one picture of a set could be decoded.
    #[error("no picture of the {set} set could be decoded in epoch {epoch} of stage `{stage}`")]
    NoPicture {
        /// `training` or `validation`.
        set: &'static str,
        /// Name of the stage.
        stage: String,
        /// Epoch, from 1.
        epoch: u64,
    },
    /// A loss or a gradient is no longer a number, or infinite.
    #[error(
        "{what} at stage `{stage}`, epoch {epoch}, step {step}; a lower learning rate may help"
    )]
    Diverged {
        /// Which one.
        what: String,
        /// Name of the stage.
        stage: String,
        /// Epoch, from 1.
        epoch: u64,
        /// Optimizer step of the stage, from 1.
        step: u64,
    },
    /// The device has too little memory, even for one picture at a time.
    #[error(
        "the device is out of memory: {reason}; smaller pictures, a smaller model or 16-bit precision take less"
    )]
    OutOfMemory {
        /// What the device says.
        reason: String,
    },
    /// The device could not do what it was asked to.
    #[error("the device failed: {reason}")]
    Device {
        /// What the device says.
        reason: String,
    },
    /// A checkpoint cannot be written or read.
    #[error("checkpoint {}: {problem}", path.display())]
    Checkpoint {
        /// The checkpoint's folder or file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A newer Kiln wrote it.
    #[error("{}: written in format {found} by a newer Kiln, this version reads format {reads}", path.display())]
    NewerFormat {
        /// The file that says so.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest format known here.
        reads: u32,
    },
    /// A file of weights cannot be read, or does not fit the model.
    #[error(transparent)]
    Weights(#[from] kiln_models::WeightsError),
    /// Something went wrong on another rank of the job.
    #[error("rank {rank}: {problem}")]
    OtherRank {
        /// Its number.
        rank: usize,
        /// What it says.
        problem: String,
        /// The exit code that it has for it.
        code: u8,
    },
    /// The networks of two ranks are no longer the same to the bit: a fault of a machine or of this program.
    #[error(
        "the network of rank {rank} is not that of rank 0 any more; the last checkpoint is what both had"
    )]
    CopiesDiffer {
        /// The first rank that differs.
        rank: usize,
    },
    /// The ranks of a job were not started alike.
    #[error("{what} is not the same on all ranks: rank 0 and rank {rank} have {difference}")]
    RanksDiffer {
        /// What it is.
        what: &'static str,
        /// The first rank that differs.
        rank: usize,
        /// The first difference.
        difference: String,
    },
    /// A rank ended without a word.
    #[error(transparent)]
    PeerLost(#[from] kiln_parallel::PeerLost),
    /// The run directory is not usable.
    #[error("run directory {}: {problem}", path.display())]
    RunDirectory {
        /// The directory or a file in it.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

impl Error {
    /// The program's exit code: 2 configuration, 3 data, 4 diverged, 5 checkpoint, weights or run directory, 1 anything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config { .. } | Self::Unreadable { .. } | Self::RanksDiffer { .. } => 2,
            Self::Data(error) => match error.fault() {
                Fault::Configuration => 2,
                Fault::Data => 3,
                Fault::System | Fault::Program => 1,
            },
            Self::NoPicture { .. } => 3,
            Self::Diverged { .. } => 4,
            Self::OutOfMemory { .. }
            | Self::Device { .. }
            | Self::CopiesDiffer { .. }
            | Self::PeerLost(_) => 1,
            Self::OtherRank { code, .. } => *code,
            Self::Checkpoint { .. }
            | Self::NewerFormat { .. }
            | Self::Weights(_)
            | Self::RunDirectory { .. } => 5,
        }
    }

    pub(crate) fn checkpoint(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::Checkpoint { path: path.to_owned(), problem: problem.to_string() }
    }

    /// What another rank sent is not understood.
    pub(crate) fn other_rank(rank: usize, problem: &dyn std::fmt::Display) -> Self {
        Self::OtherRank { rank, problem: problem.to_string(), code: 1 }
    }

    pub(crate) fn run_directory(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::RunDirectory { path: path.to_owned(), problem: problem.to_string() }
    }
}

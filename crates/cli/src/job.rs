//! The job of several processes that this one is a part of, if it is.

use crate::exit::Usage;
#[cfg(feature = "mpi")]
use crate::output::complain;
use kiln_parallel::{Ranks, launched_ranks};
use std::process::ExitCode;

/// This process among those that train with it, from joining them to the end of its work.
pub(crate) struct Job {
    pub(crate) ranks: Ranks,
    #[cfg(feature = "mpi")]
    mpi: Option<kiln_parallel::MpiJob>,
}

impl Job {
    /// Joins the processes that a launcher such as `mpirun` has started with this one; alone without one.
    ///
    /// # Errors
    /// [`Usage`] when there are others and this build cannot talk to them.
    #[cfg(feature = "mpi")]
    pub(crate) fn join() -> Result<Self, Usage> {
        if launched_ranks() == 1 {
            return Ok(Self { ranks: Ranks::default(), mpi: None });
        }
        let (mpi, ranks) = kiln_parallel::mpi_job()
            .ok_or_else(|| Usage("MPI has been started in this process before".to_owned()))?;
        if ranks.size() != launched_ranks() {
            return Err(Usage(format!(
                "the launcher started {} processes, but MPI sees {}: it is that of another MPI than this program was built \
                 with",
                launched_ranks(),
                ranks.size()
            )));
        }
        Ok(Self { ranks, mpi: Some(mpi) })
    }

    #[cfg(not(feature = "mpi"))]
    pub(crate) fn join() -> Result<Self, Usage> {
        match launched_ranks() {
            1 => Ok(Self { ranks: Ranks::default() }),
            others => Err(Usage(format!(
                "{others} processes were started, and this build cannot train in more than one; add `--features mpi` to \
                 cargo's arguments"
            ))),
        }
    }

    /// Passes a result on. Of several processes, one that failed ends all others, which would wait for it for ever.
    #[cfg(feature = "mpi")]
    pub(crate) fn conclude(self, result: anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
        if let (Err(error), Some(mpi)) = (&result, &self.mpi) {
            if self.ranks.is_first() {
                complain(format_args!("error: {error:#}"));
            } else {
                // Most errors are those of all ranks: the first says them for all, after the set it is writing is whole.
                std::thread::sleep(std::time::Duration::from_secs(10));
                complain(format_args!("error: rank {}: {error:#}", self.ranks.rank()));
            }
            mpi.abort(crate::exit::number_of(error));
        }
        result
    }

    /// Passes a result on.
    #[cfg(not(feature = "mpi"))]
    pub(crate) fn conclude(self, result: anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
        drop(self.ranks);
        result
    }
}

/// Keeps a command that works alone from being done by each of several processes.
///
/// # Errors
/// [`Usage`] when a launcher has started more than this one.
pub(crate) fn alone() -> Result<(), Usage> {
    match launched_ranks() {
        1 => Ok(()),
        others => Err(Usage(format!(
            "{others} processes were started, and only `train` and `resume` share their work; start this one alone"
        ))),
    }
}

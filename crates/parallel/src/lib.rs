//! Synchronous data parallelism: ranks, each with a copy of the network, that add up what each of them found.
//!
//! A [`Group`] is who trains together: nobody else ([`Alone`]), the threads of a process ([`threads`]), or the processes of
//! an MPI job on any number of machines (`mpi_job`, feature `mpi`). [`Ranks`] is one rank's end of it.

mod alone;
mod group;
mod launch;
#[cfg(feature = "mpi")]
mod mpi_job;
mod ranks;
mod threads;

pub use alone::Alone;
pub use group::{Group, PeerLost};
pub use launch::{launched_ranks, local_rank};
#[cfg(feature = "mpi")]
pub use mpi_job::{MpiJob, mpi_job};
pub use ranks::Ranks;
pub use threads::{on_threads, threads};

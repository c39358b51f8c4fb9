//! The processes of an MPI job as a group.

use crate::group::{Group, PeerLost};
use crate::ranks::Ranks;
use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::datatype::PartitionMut;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

/// Values in one call of MPI: enough for its rate, and few enough for its 32-bit counts.
const BUCKET: usize = 4 << 20;

/// This process's place in a job, until it is dropped.
pub struct MpiJob {
    _universe: Universe,
}

/// Joins the job that a launcher started this process for; alone where none did. Absent when it was joined before.
pub fn mpi_job() -> Option<(MpiJob, Ranks)> {
    // One thread at a time: the one that trains.
    let (universe, _) = mpi::initialize_with_threading(Threading::Serialized)?;
    let world = universe.world();
    let number = |value: i32| usize::try_from(value).unwrap_or(0);
    let process = Process { rank: number(world.rank()), size: number(world.size()) };
    Some((MpiJob { _universe: universe }, Ranks::new(process)))
}

impl MpiJob {
    /// Ends every process of the job with this exit code.
    pub fn abort(&self, code: u8) -> ! {
        SimpleCommunicator::world().abort(code.into())
    }
}

impl Drop for MpiJob {
    /// A process that panics would wait here for others that wait for it.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.abort(101);
        }
    }
}

impl std::fmt::Debug for MpiJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MpiJob").finish_non_exhaustive()
    }
}

/// A communicator cannot go from thread to thread, so each call takes the world's anew, which costs nothing.
#[derive(Debug)]
struct Process {
    rank: usize,
    size: usize,
}

impl Group for Process {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn sum(&self, values: &mut [f32]) -> Result<(), PeerLost> {
        let world = SimpleCommunicator::world();
        let mut own = Vec::new();
        for bucket in values.chunks_mut(BUCKET) {
            own.clear();
            own.extend_from_slice(bucket);
            world.all_reduce_into(own.as_slice(), bucket, SystemOperation::sum());
        }
        Ok(())
    }

    fn sum_counts(&self, counts: &mut [u64]) -> Result<(), PeerLost> {
        let world = SimpleCommunicator::world();
        for bucket in counts.chunks_mut(BUCKET) {
            let own = bucket.to_vec();
            world.all_reduce_into(own.as_slice(), bucket, SystemOperation::sum());
        }
        Ok(())
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, PeerLost> {
        let world = SimpleCommunicator::world();
        let mut lengths = vec![0_u64; self.size];
        world.all_gather_into(&(own.len() as u64), lengths.as_mut_slice());
        let mut given: Vec<Vec<u8>> = lengths.iter().map(|_| Vec::new()).collect();
        let part = |length: u64, start: usize| {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            start.min(length)..(start + BUCKET).min(length)
        };
        let longest = lengths.iter().max().copied().unwrap_or(0);
        let longest = usize::try_from(longest).unwrap_or(usize::MAX);
        for start in (0..longest).step_by(BUCKET) {
            let counts: Vec<usize> = lengths.iter().map(|&n| part(n, start).len()).collect();
            let ends = counts.iter().scan(0, |end, count| {
                *end += count;
                Some(*end)
            });
            let begins: Vec<usize> = ends.zip(&counts).map(|(end, count)| end - count).collect();
            let narrow = |&value: &usize| i32::try_from(value).unwrap_or(i32::MAX);
            let mut all = vec![0_u8; counts.iter().sum()];
            let (c, b): (Vec<i32>, Vec<i32>) =
                (counts.iter().map(narrow).collect(), begins.iter().map(narrow).collect());
            let mut partition = PartitionMut::new(all.as_mut_slice(), c, b);
            world.all_gather_varcount_into(&own[part(own.len() as u64, start)], &mut partition);
            for ((given, begin), count) in given.iter_mut().zip(&begins).zip(&counts) {
                given.extend_from_slice(&all[*begin..begin + count]);
            }
        }
        Ok(given)
    }
}

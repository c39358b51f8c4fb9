//! What the launcher of a job tells its processes, whether or not this program was built for MPI.

/// The number of this process among those of its job on this machine, from 0; 0 for a process without others.
pub fn local_rank() -> usize {
    first_of(&["OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"]).unwrap_or(0)
}

/// How many processes the launcher has started: `mpirun` of Open MPI and MPICH, and SLURM's `srun`.
pub fn launched_ranks() -> usize {
    first_of(&["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"]).unwrap_or(1)
}

fn first_of(variables: &[&str]) -> Option<usize> {
    variables.iter().find_map(|name| std::env::var(name).ok()?.parse().ok())
}

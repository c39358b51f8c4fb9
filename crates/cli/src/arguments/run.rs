//! A run on the command line.

use crate::device::DeviceChoice;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Where and how to compute; nothing of this changes a result on the CPU.
#[derive(Debug, Args)]
pub(crate) struct MachineArguments {
    /// Where to compute: flex, cuda:INDEX, wgpu:KIND:INDEX, vulkan, metal or auto; see `kiln devices`.
    #[arg(long, default_value = "flex")]
    pub(crate) device: DeviceChoice,
    /// Threads that decode and augment pictures [default: one for each processor].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) workers: Option<u16>,
    /// Print nothing but results and errors.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// An experiment and what is laid over it.
#[derive(Debug, Args)]
pub(crate) struct ExperimentArguments {
    /// An experiment file, or the name of one in `configs/`.
    pub(crate) config: PathBuf,
    /// Folder of pictures; sets `data.source.path`.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// An overlay file, or the name of one in `overlays/` beside the experiment; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) overlay: Vec<PathBuf>,
    /// One setting, such as `stage.train.batch.micro=8`; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TrainArguments {
    #[command(flatten)]
    pub(crate) experiment: ExperimentArguments,
    #[command(flatten)]
    pub(crate) machine: MachineArguments,
    /// The run directory; must not exist [default: runs/NAME-NNN].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Continue the newest run of this name, or that in --out, if there is one: the same command again and again.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) auto_resume: bool,
    #[command(flatten)]
    pub(crate) conduct: Conduct,
    /// Print the plan, try one pass of each stage, write its first pictures as NAME-STAGE.png into --out [default: .],
    /// and train nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArguments {
    /// The run directory.
    pub(crate) run: PathBuf,
    /// Where the pictures are now, if they have moved.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Another value for one setting of the run, such as `stage.train.run_for.epochs=60`; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Allow settings that lead to another result than the run was going to have.
    #[arg(long)]
    pub(crate) allow_changes: bool,
    #[command(flatten)]
    pub(crate) conduct: Conduct,
    #[command(flatten)]
    pub(crate) machine: MachineArguments,
}

/// How a run is watched and ended.
#[derive(Debug, Args)]
pub(crate) struct Conduct {
    /// Draw curves, rates and the time left, where the output is a terminal.
    #[arg(long, conflicts_with = "quiet")]
    pub(crate) dashboard: bool,
    /// Stop after this time, such as `90m` or `1h 45m`, as if by Ctrl-C: finish the step, save, exit with 130.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) time_limit: Option<Duration>,
}

//! `kiln bench` and `kiln torture` on the command line.

use crate::bench::Mode;
use crate::device::DeviceChoice;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct TortureArguments {
    /// How many times to kill.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) kills: u32,
    /// Of the moments.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct DeviceCheckArguments {
    /// The device to check.
    #[arg(long)]
    pub(crate) device: DeviceChoice,
    /// Compare with the CPU only, and measure no times.
    #[arg(long)]
    pub(crate) parity_only: bool,
    /// The smallest network and a few steps, for devices slower than the CPU.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Folder of pictures, `train/CLASS/` and `val/CLASS/`: also measure how well the loader keeps the device busy.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Only this case, such as `resnet50@224`; may be repeated.
    #[arg(long, value_name = "CASE")]
    pub(crate) only: Vec<String>,
    /// The Python that may have torch and torchvision.
    #[arg(long, value_name = "FILE", default_value = "python3")]
    pub(crate) python: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    #[command(subcommand)]
    pub(crate) command: BenchCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Images/s of decode, random resized crop 224, flip and normalise, for one and two workers.
    Loader {
        /// Folder of pictures.
        #[arg(long)]
        data: PathBuf,
    },
    /// Bytes that the index of a folder takes for each picture.
    Memory {
        /// Folder of pictures.
        #[arg(long)]
        data: PathBuf,
    },
    /// Seconds of the trainer's step against those of the bare one, in turns: ResNet-18, batch 32 at 128 px.
    Loop {
        /// Folder of pictures.
        #[arg(long)]
        data: PathBuf,
    },
    /// Milliseconds that the ranks of a job, started with `mpirun`, take to add up their gradients.
    AllReduce,
    /// Step time and peak memory with a frozen network under the classifier, against training all.
    Frozen,
    /// What checkpoints cost: ResNet-50, a set every hundred steps.
    Checkpoints,
    /// Whether memory grows over 2,000 steps.
    Growth,
    /// Training steps and inference of several networks and sizes with fast and reference kernels, in turns.
    Step {
        /// Measure PyTorch in the same turns, both memory layouts.
        #[arg(long)]
        peers: bool,
        /// The Python that has torch and torchvision.
        #[arg(long, value_name = "FILE", default_value = "python3")]
        python: PathBuf,
        /// Turns; the median is over all of their steps.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
        rounds: u16,
        /// Only this case, such as `resnet18@128`; may be repeated.
        #[arg(long, value_name = "CASE")]
        only: Vec<String>,
    },
    /// One measurement of `step`, as JSON: a process of its own, so that its peak memory is its own.
    #[command(hide = true)]
    StepOnce {
        /// The model's name.
        #[arg(long)]
        network: String,
        /// Side of the pictures.
        #[arg(long)]
        size: usize,
        /// Pictures in a step.
        #[arg(long)]
        batch: usize,
        /// What is timed.
        #[arg(long, value_enum)]
        mode: Mode,
        /// `fast` or `reference`.
        #[arg(long, default_value = "fast")]
        kernels: String,
        /// `f32`, `f16` or `bf16`: of the maps in training.
        #[arg(long, default_value = "f32")]
        precision: String,
        /// Where to compute.
        #[arg(long, default_value = "flex")]
        device: DeviceChoice,
        /// Steps that count.
        #[arg(long)]
        steps: usize,
    },
}

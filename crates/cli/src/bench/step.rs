//! One network's training step or inference, timed on a batch that lies in memory.

use super::bare_step::{BareStep, network, pictures};
use super::median;
use crate::exit::Usage;
use anyhow::{Context as _, bail};
use burn::module::Module;
use burn::tensor::Device;
use kiln_models::{Freeze, Kernels, Network};
use kiln_trainer::spec::Precision;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::process::Command;
use std::time::Instant;

/// Steps before the first that counts: memory is mapped, caches are warm.
const WARM: usize = 2;
/// The same on a GPU, where kernels are compiled and the fastest of several are sought.
const WARM_GPU: usize = 10;

/// A network, the side of its pictures and how many it takes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) network: &'static str,
    pub(crate) size: usize,
    pub(crate) batch: usize,
}

/// Whether `cases` have all the `names` that were asked for.
///
/// # Errors
/// [`Usage`] naming those that they have.
pub(crate) fn check_names(names: &[String], cases: &[Case]) -> Result<(), Usage> {
    let unknown = names.iter().find(|name| !cases.iter().any(|case| case.name() == **name));
    let Some(unknown) = unknown else { return Ok(()) };
    let mut known: Vec<_> = cases.iter().map(|case| case.name()).collect();
    known.dedup();
    Err(Usage(format!("no case `{unknown}`; there are {}", known.join(", "))))
}

/// Where and how a case is measured.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) device: Device,
    pub(crate) kernels: Kernels,
    /// Of the maps in training.
    pub(crate) precision: Precision,
}

/// What `bench step` measures.
pub(super) const CASES: [Case; 8] = [
    Case { network: "resnet18", size: 32, batch: 32 },
    Case { network: "resnet18", size: 64, batch: 32 },
    Case { network: "resnet18", size: 128, batch: 32 },
    Case { network: "resnet18", size: 224, batch: 16 },
    Case { network: "resnet50", size: 128, batch: 16 },
    Case { network: "resnet50", size: 224, batch: 8 },
    Case { network: "resnet20", size: 32, batch: 32 },
    Case { network: "efficientnet_b0", size: 224, batch: 16 },
];

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{} x {}", self.network, self.size, self.batch)
    }
}

impl Case {
    /// Network and size, as on the command line.
    pub(crate) fn name(self) -> String {
        format!("{}@{}", self.network, self.size)
    }

    /// Multiply-adds of one picture's forward pass: torchvision's figures for the sizes they are given at, by the
    /// number of pixels for the others.
    pub(super) fn multiply_adds(self) -> f64 {
        let (at, figure) = match self.network {
            "resnet18" => (224.0, 1.814e9),
            "resnet50" => (224.0, 4.089e9),
            "efficientnet_b0" => (224.0, 0.386e9),
            "efficientnet_b3" => (300.0, 1.83e9),
            _ => (32.0, 40.8e6), // ResNet-20, He et al. 2015, counted
        };
        figure * (self.size as f64 / at).powi(2)
    }
}

/// What is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// Forward, backward and the optimizer's update.
    Train,
    /// The same for the classifier alone; everything else is frozen with its statistics.
    Head,
    /// Forward with running statistics.
    Inference,
}

impl Mode {
    /// The name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Head => "head",
            Self::Inference => "inference",
        }
    }

    /// Passes over the network, each as expensive as the forward one.
    pub(super) fn passes(self) -> f64 {
        match self {
            Self::Train => 3.0,
            Self::Head | Self::Inference => 1.0,
        }
    }
}

/// What a measuring process prints.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Of the median step.
    pub(crate) images_per_second: f64,
    /// Of every step.
    pub(crate) repeats: Vec<f64>,
    /// Peak resident memory of the process; on a GPU what its allocator has taken.
    pub(crate) peak_bytes: Option<u64>,
}

/// Networks that can be measured.
const NETWORKS: [&str; 5] =
    ["resnet18", "resnet50", "resnet20", "efficientnet_b0", "efficientnet_b3"];

/// The case with these values.
pub(super) fn case(network: &str, size: usize, batch: usize) -> anyhow::Result<Case> {
    let known = NETWORKS.into_iter().find(|known| *known == network);
    let known = known.ok_or_else(|| anyhow::anyhow!("no case for `{network}`"))?;
    Ok(Case { network: known, size, batch })
}

/// Times `steps` steps of a case.
pub(super) fn measure(
    case: Case,
    mode: Mode,
    setup: &Setup,
    steps: usize,
) -> anyhow::Result<Measured> {
    let device = setup.device.clone();
    let network = network(case, &device.clone().autodiff())?.with_kernels(setup.kernels);
    let repeats = match mode {
        Mode::Train => training(network, case, setup, steps)?,
        Mode::Head => training(head_only(network), case, setup, steps)?,
        Mode::Inference => inference(&network.valid(), case, &device, steps)?,
    };
    let peak_bytes = kiln_trainer::device_memory_bytes(&device);
    Ok(Measured { images_per_second: median(repeats.clone()), repeats, peak_bytes })
}

/// The network with all but its classifier frozen, statistics included.
fn head_only(network: Network) -> Network {
    let prefix = network.head_prefix();
    network.frozen(|name| (!name.starts_with(prefix)).then_some(Freeze::WeightsAndStats))
}

/// This program, to measure once on the given kernels.
pub(super) fn kiln(kernels: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", "step-once", "--kernels", kernels]);
    Ok(command)
}

/// Measures in a process of its own, so that its peak memory is its own.
pub(crate) fn measure_apart(
    mut command: Command,
    case: Case,
    mode: Mode,
    steps: usize,
) -> anyhow::Result<Measured> {
    command.args(["--network", case.network, "--mode", mode.name()]);
    for (flag, value) in [("--size", case.size), ("--batch", case.batch), ("--steps", steps)] {
        command.args([flag, &value.to_string()]);
    }
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("output of {command:?}"))
}

/// Steps before the first that counts.
fn warm_up(device: &Device) -> usize {
    if *device == Device::flex() { WARM } else { WARM_GPU }
}

fn training(network: Network, case: Case, setup: &Setup, steps: usize) -> anyhow::Result<Vec<f64>> {
    let device = setup.device.clone().autodiff();
    let mut bare = BareStep::new(network, case, &device, setup.precision)?;
    let mut rates = Vec::new();
    let warm = warm_up(&setup.device);
    for step in 0..warm + steps {
        let seconds;
        (bare, seconds) = bare.step()?;
        if step >= warm {
            rates.push(case.batch as f64 / seconds);
        }
    }
    Ok(rates)
}

fn inference(
    network: &Network,
    case: Case,
    device: &Device,
    steps: usize,
) -> anyhow::Result<Vec<f64>> {
    let pictures = pictures(case, device);
    let mut rates = Vec::new();
    let warm = warm_up(device);
    for step in 0..warm + steps {
        let began = Instant::now();
        network.forward(pictures.clone()).try_into_data()?;
        if step >= warm {
            rates.push(case.batch as f64 / began.elapsed().as_secs_f64());
        }
    }
    Ok(rates)
}

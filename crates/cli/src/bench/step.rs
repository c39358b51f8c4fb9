//! One network's training step or inference, timed on a batch that lies in memory.

use super::median;
use anyhow::{Context as _, bail};
use burn::module::Module;
use burn::tensor::{DType, Device, Tensor, TensorData};
use kiln_augment::mix::MixedLabel;
use kiln_models::{Freeze, Kernels, ModelSpec, Network, UnitSource};
use kiln_optim_schedules::{Gradients, Optimizer, OptimizerSpec, Rates};
use kiln_trainer::Loss;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::process::Command;
use std::time::Instant;

/// Steps before the first that counts: memory is mapped, caches are warm.
const WARM: usize = 2;

/// A network, the side of its pictures and how many it takes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) network: &'static str,
    pub(super) size: usize,
    pub(super) batch: usize,
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
    pub(super) fn name(self) -> String {
        format!("{}@{}", self.network, self.size)
    }

    /// Multiply-adds of one picture's forward pass: torchvision's figures for the sizes they are given at, by the
    /// number of pixels for the others.
    pub(super) fn multiply_adds(self) -> f64 {
        let (at, figure) = match self.network {
            "resnet18" => (224.0, 1.814e9),
            "resnet50" => (224.0, 4.089e9),
            "efficientnet_b0" => (224.0, 0.386e9),
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
pub(super) struct Measured {
    /// Of the median step.
    pub(super) images_per_second: f64,
    /// Of every step.
    pub(super) repeats: Vec<f64>,
    /// Peak resident memory of the process.
    pub(super) peak_bytes: Option<u64>,
}

/// The case with these values.
pub(super) fn case(network: &str, size: usize, batch: usize) -> anyhow::Result<Case> {
    let known = CASES.iter().find(|case| case.network == network);
    let known = known.ok_or_else(|| anyhow::anyhow!("no case for `{network}`"))?;
    Ok(Case { network: known.network, size, batch })
}

/// Times `steps` steps of a case on flex.
pub(super) fn measure(
    case: Case,
    mode: Mode,
    kernels: Kernels,
    steps: usize,
) -> anyhow::Result<Measured> {
    let device = Device::flex();
    let network = network(case, &device.clone().autodiff())?.with_kernels(kernels);
    let repeats = match mode {
        Mode::Train => training(network, case, &device.autodiff(), steps)?,
        Mode::Head => training(head_only(network), case, &device.autodiff(), steps)?,
        Mode::Inference => inference(&network.valid(), case, &device, steps)?,
    };
    let peak_bytes = kiln_trainer::peak_resident_bytes();
    Ok(Measured { images_per_second: median(repeats.clone()), repeats, peak_bytes })
}

fn network(case: Case, device: &Device) -> anyhow::Result<Network> {
    let spec: ModelSpec = serde_json::from_value(serde_json::json!({ "type": case.network }))?;
    Ok(spec.initialize(10, device, source)?)
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
pub(super) fn measure_apart(
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

/// Values of no meaning, the same in every process.
fn source(_: &str) -> UnitSource {
    let mut state = 1_u64;
    Box::new(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    })
}

fn pictures(case: Case, device: &Device) -> Tensor<4> {
    let pixels = case.batch * 3 * case.size * case.size;
    let values: Vec<f32> = (0..pixels).map(|i| (i % 255) as f32 / 255.0).collect();
    let data = TensorData::new(values, [case.batch, 3, case.size, case.size]);
    Tensor::from_data(data, (device, DType::F32))
}

/// A training step on the same pictures again and again.
pub(super) struct BareStep {
    network: Network,
    optimizer: Optimizer,
    pictures: Tensor<4>,
    labels: Vec<MixedLabel>,
    loss: Loss,
    device: Device,
}

impl BareStep {
    /// Of a case on flex with the fast kernels.
    pub(super) fn of(case: Case) -> anyhow::Result<Self> {
        let device = Device::flex().autodiff();
        Self::new(network(case, &device)?.with_kernels(Kernels::Fast), case, &device)
    }

    fn new(network: Network, case: Case, device: &Device) -> anyhow::Result<Self> {
        let labels = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].into_iter().cycle().take(case.batch);
        Ok(Self {
            network,
            optimizer: serde_json::from_str::<OptimizerSpec>(r#"{ "type": "sgd" }"#)?.build()?,
            pictures: pictures(case, device),
            labels: labels.map(MixedLabel::pure).collect(),
            loss: Loss::new(serde_json::from_str(r#"{ "type": "cross_entropy" }"#)?, None),
            device: device.clone(),
        })
    }

    /// Does one step and returns its seconds.
    pub(super) fn step(mut self) -> (Self, f64) {
        let began = Instant::now();
        let logits = self.network.forward(self.pictures.clone());
        let loss = self.loss.sum(logits, &self.labels, &self.device);
        let mut gradients = Gradients::default();
        gradients.add(loss.backward(), &self.network);
        gradients.scale(1.0 / self.labels.len() as f64);
        let rates = Rates { lr: 1e-3, momentum: None };
        self.network = self.optimizer.step(self.network, gradients, rates);
        (self, began.elapsed().as_secs_f64())
    }
}

fn training(
    network: Network,
    case: Case,
    device: &Device,
    steps: usize,
) -> anyhow::Result<Vec<f64>> {
    let mut bare = BareStep::new(network, case, device)?;
    let mut rates = Vec::new();
    for step in 0..WARM + steps {
        let seconds;
        (bare, seconds) = bare.step();
        if step >= WARM {
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
    for step in 0..WARM + steps {
        let began = Instant::now();
        network.forward(pictures.clone()).try_into_data()?;
        if step >= WARM {
            rates.push(case.batch as f64 / began.elapsed().as_secs_f64());
        }
    }
    Ok(rates)
}

//! `kiln bench step`: Kiln's kernels and PyTorch on the same networks, in turns on the same machine.
//!
//! The share of the product counts the FLOP of direct convolution, so Winograd may exceed 100 %.

use super::median;
use super::step::{CASES, Case, Measured, Mode, check_names, kiln, measure_apart};
use crate::output::say;
use burn::tensor::{Device, Distribution, Tensor};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Steps that count in one process.
const STEPS: usize = 7;
/// The script that measures PyTorch, from the repository's root.
const SCRIPT: &str = "tests/peers/step_pytorch.py";

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Fast,
    Reference,
    Contiguous,
    ChannelsLast,
}

impl Subject {
    fn heading(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Reference => "reference",
            Self::Contiguous => "torch",
            Self::ChannelsLast => "torch channels_last",
        }
    }

    /// Measures once, in a process of its own.
    fn measure(self, case: Case, mode: Mode, python: &Path) -> anyhow::Result<Measured> {
        let command = match self {
            Self::Fast | Self::Reference => kiln(self.heading())?,
            Self::Contiguous | Self::ChannelsLast => {
                let mut command = Command::new(python);
                command.args([SCRIPT, "--threads"]).arg(threads().to_string());
                if self == Self::ChannelsLast {
                    command.arg("--channels-last");
                }
                command
            }
        };
        measure_apart(command, case, mode, STEPS)
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Measures all cases, or those named in `only`, and prints them as a Markdown table. `python` runs PyTorch.
pub(super) fn compare(python: Option<&Path>, rounds: u16, only: &[String]) -> anyhow::Result<()> {
    let mut subjects = vec![Subject::Fast, Subject::Reference];
    if python.is_some() {
        subjects.extend([Subject::Contiguous, Subject::ChannelsLast]);
    }
    check_names(only, &CASES)?;
    let python = python.unwrap_or(Path::new("python3"));
    let peak = peak_rate();
    say(format!(
        "{} threads; a product of 2048 x 2048 matrices runs at {:.0} GFLOP/s; {rounds} x {STEPS} steps",
        threads(),
        peak / 1e9
    ));
    let headings: Vec<_> = subjects.iter().map(|subject| subject.heading()).collect();
    let last = headings[headings.len() - 1];
    say(format!(
        "| case | | {} | fast / {last} | peak MiB | share of product |",
        headings.join(" | ")
    ));
    say(format!("|---|---|{}---|---|---|", "---|".repeat(headings.len())));
    for case in CASES.into_iter().filter(|case| only.is_empty() || only.contains(&case.name())) {
        for mode in [Mode::Train, Mode::Inference] {
            let mut rates = vec![Vec::new(); subjects.len()];
            let mut bytes = vec![0; subjects.len()];
            for round in 0..rounds {
                for i in 0..subjects.len() {
                    // Another one begins each round.
                    let i = (i + usize::from(round)) % subjects.len();
                    let measured = subjects[i].measure(case, mode, python)?;
                    rates[i].extend(measured.repeats);
                    bytes[i] = bytes[i].max(measured.peak_bytes.unwrap_or(0));
                }
            }
            let rates: Vec<f64> = rates.into_iter().map(median).collect();
            let flops = 2.0 * case.multiply_adds() * mode.passes();
            let share: Vec<_> =
                rates.iter().map(|rate| format!("{:.0} %", 100.0 * rate * flops / peak)).collect();
            let memory: Vec<_> = bytes.iter().map(|bytes| (bytes >> 20).to_string()).collect();
            let columns: Vec<_> = rates.iter().map(|rate| format!("{rate:.1}")).collect();
            let ratio = rates[0] / rates[rates.len() - 1];
            say(format!(
                "| {case} | {} | {} | {ratio:.2} | {} | {} |",
                mode.name(),
                columns.join(" | "),
                memory.join(", "),
                share.join(", ")
            ));
        }
    }
    Ok(())
}

/// FLOP/s of a large matrix product: the machine's peak, for practical purposes.
fn peak_rate() -> f64 {
    const SIDE: usize = 2048;
    let device = Device::flex();
    let draw = || Tensor::<2>::random([SIDE, SIDE], Distribution::Default, &device);
    let (left, right) = (draw(), draw());
    let mut rates = Vec::new();
    for _ in 0..7 {
        let began = Instant::now();
        let product = left.clone().matmul(right.clone());
        rates.push(2.0 * (SIDE as f64).powi(3) / began.elapsed().as_secs_f64());
        drop(product);
    }
    rates.into_iter().fold(0.0, f64::max)
}

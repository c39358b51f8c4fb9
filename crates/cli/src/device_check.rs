//! `kiln device-check`: whether a device computes what the CPU computes, and how fast it is.
//!
//! `cargo xtask gpu-check --device DEVICE` builds for the device and runs this; a program built elsewhere does the same
//! without the repository.

mod parity;
mod speed;
mod training;

use crate::arguments::DeviceCheckArguments;
use crate::device::{Backend, DeviceChoice};
use crate::output::say;
use burn::tensor::{DType, Device};
use kiln_trainer::spec::Precision;
use std::process::ExitCode;

/// How much is done.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// Networks whose passes are compared: name, side and number of pictures.
    networks: &'static [(&'static str, usize, usize)],
    /// Optimizer steps of the trainings.
    steps: u64,
    /// Pictures of a step.
    batch: u32,
}

const WHOLE: Scale = Scale {
    networks: &[("resnet20", 32, 32), ("resnet18", 128, 16), ("efficientnet_b0", 64, 8)],
    steps: 20,
    batch: 32,
};

/// For devices that are slower than the CPU, such as a graphics driver that computes on it.
const QUICK: Scale = Scale { networks: &[("resnet20", 32, 4)], steps: 6, batch: 8 };

pub(crate) fn device_check(arguments: &DeviceCheckArguments) -> anyhow::Result<ExitCode> {
    speed::check(&arguments.only)?;
    let choice = arguments.device.resolved();
    let device = choice.open()?;
    let scale = if arguments.quick { QUICK } else { WHOLE };
    let of_build = |has: bool| if has && device != reference() { "with" } else { "without" };
    let fuses = of_build(cfg!(any(feature = "wgpu-fused", feature = "cuda")));
    let searches = of_build(cfg!(any(feature = "wgpu", feature = "cuda")));
    say(format_args!("{device:?}, {fuses} fusion of kernels, {searches} search for the fastest"));
    let precisions = [Precision::F32, Precision::Bf16];
    let has = |precision: &Precision| match precision {
        // Also where a device only emulates it, the quick check leaves it out.
        Precision::Bf16 => !arguments.quick && device.supports_dtype(DType::BF16),
        _ => true,
    };
    let limits = |precision| (precision, tolerance(precision, choice));
    let precisions: Vec<_> = precisions.into_iter().filter(has).map(limits).collect();
    let mut agrees = parity::passes(&device, scale, &precisions)?;
    agrees &= training::trainings(&device, scale, &precisions)?;
    if !arguments.parity_only {
        let precisions: Vec<_> = precisions.iter().map(|(precision, _)| *precision).collect();
        // What was compared gives its memory back before other processes are measured.
        device.memory_cleanup();
        speed::table(arguments, choice, &precisions)?;
    }
    if agrees {
        say("\nthe device agrees with the CPU");
        return Ok(ExitCode::SUCCESS);
    }
    say("\nthe device does not agree with the CPU");
    Ok(ExitCode::FAILURE)
}

/// How far a device may be from the CPU.
#[derive(Debug, Clone, Copy)]
struct Tolerance {
    /// Of logits, over the largest.
    logits: f64,
    /// Of all gradients, over their norm.
    gradients: f64,
    /// Of the loss of a training step, over the loss.
    losses: f64,
}

/// WGSL multiplies in f32 when it is asked to. Backends with tensor cores may multiply f32 with 10 bits of mantissa (TF32),
/// and in bf16 every map has 7. What is left of a difference grows in training wherever a channel hardly varies.
fn tolerance(precision: Precision, device: DeviceChoice) -> Tolerance {
    match precision {
        Precision::F32 if device.backend() == Some(Backend::Wgpu) => {
            Tolerance { logits: 1e-5, gradients: 1e-4, losses: 1e-3 }
        }
        Precision::F32 => Tolerance { logits: 5e-3, gradients: 2e-2, losses: 2e-2 },
        _ => Tolerance { logits: 5e-2, gradients: 0.3, losses: 0.1 },
    }
}

fn name(precision: Precision) -> &'static str {
    match precision {
        Precision::F32 => "f32",
        Precision::F16 => "f16",
        Precision::Bf16 => "bf16",
    }
}

/// Whether a difference is small enough, as the last column of a table has it.
fn verdict(fits: bool) -> &'static str {
    if fits { "ok" } else { "TOO FAR" }
}

/// The CPU.
fn reference() -> Device {
    Device::flex()
}

/// The largest of differences; what is no number stays one, where `max` would take no notice of it.
fn worst(mut differences: impl Iterator<Item = f64>) -> f64 {
    let worst =
        differences.try_fold(
            0.0_f64,
            |worst, next| if next.is_nan() { Err(next) } else { Ok(worst.max(next)) },
        );
    worst.unwrap_or_else(|nan| nan)
}

#[cfg(test)]
mod tests {
    use super::worst;

    #[test]
    fn what_is_no_number_is_the_worst() {
        assert_eq!(worst([0.1, 0.3, 0.2].into_iter()), 0.3);
        assert!(worst([0.1, f64::NAN, 0.2].into_iter()).is_nan());
        assert_eq!(worst([].into_iter()), 0.0);
    }
}

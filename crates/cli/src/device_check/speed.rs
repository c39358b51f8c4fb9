//! How fast a device trains, beside PyTorch on the same one where that is installed.

use super::name;
use crate::arguments::DeviceCheckArguments;
use crate::bench::{Case, Measured, Mode, check_names, measure_apart};
use crate::device::DeviceChoice;
use crate::exit::Usage;
use crate::output::say;
use kiln_trainer::record::EpochRecord;
use kiln_trainer::spec::{Layer, Layers, Precision};
use kiln_trainer::{Destination, RunDirectory, RunSettings, Silent, begin};
use std::path::Path;
use std::process::Command;

/// Training steps that are measured.
const CASES: [Case; 6] = [
    Case { network: "resnet18", size: 128, batch: 128 },
    Case { network: "resnet50", size: 224, batch: 64 },
    Case { network: "resnet50", size: 224, batch: 128 },
    Case { network: "resnet50", size: 224, batch: 256 },
    Case { network: "efficientnet_b0", size: 224, batch: 128 },
    Case { network: "efficientnet_b3", size: 300, batch: 64 },
];

/// Steps that count in one process.
const STEPS: usize = 30;
/// A program built elsewhere carries the peer with it.
const PEER: &str = include_str!("../../../../tests/peers/step_pytorch.py");

/// Whether the cases that were asked for are there.
///
/// # Errors
/// [`Usage`] naming those that are.
pub(super) fn check(only: &[String]) -> Result<(), Usage> {
    check_names(only, &CASES)
}

/// Prints a table of the cases, or of those that were asked for.
pub(super) fn table(
    arguments: &DeviceCheckArguments,
    choice: DeviceChoice,
    precisions: &[Precision],
) -> anyhow::Result<()> {
    let peer = peer_device(arguments, choice);
    if peer.is_none() {
        say("\nno PyTorch that sees this device: its columns stay empty");
    }
    say(
        "\n| training step | in | kiln images/s | MiB | torch | MiB | torch.compile | MiB | kiln / faster torch |",
    );
    say("|---|---|---|---|---|---|---|---|---|");
    let wanted = |case: &Case| arguments.only.is_empty() || arguments.only.contains(&case.name());
    for case in CASES.into_iter().filter(wanted) {
        for &precision in precisions {
            let kiln = kiln(choice, precision)?;
            let kiln = measure_apart(kiln, case, Mode::Train, STEPS);
            let torch = |compile| {
                let command = torch(arguments, peer.as_deref()?, precision, compile);
                Some(measure_apart(command, case, Mode::Train, STEPS))
            };
            let (eager, compiled) = (torch(false), torch(true));
            let rate = |measured: Option<&anyhow::Result<Measured>>| match measured {
                None => "-".to_owned(),
                Some(Ok(measured)) => format!("{:.0}", measured.images_per_second),
                Some(Err(error)) => last_line(error),
            };
            let memory = |measured: Option<&anyhow::Result<Measured>>| {
                let bytes = measured.and_then(|measured| measured.as_ref().ok()?.peak_bytes);
                bytes.map_or("-".to_owned(), |bytes| (bytes >> 20).to_string())
            };
            let of = |measured: &Option<anyhow::Result<Measured>>| {
                Some(measured.as_ref()?.as_ref().ok()?.images_per_second)
            };
            // Against the faster of the two.
            let torch = of(&eager).into_iter().chain(of(&compiled)).fold(f64::NAN, f64::max);
            let ratio = kiln.as_ref().map_or(f64::NAN, |kiln| kiln.images_per_second / torch);
            let ratio = if ratio.is_nan() { "-".to_owned() } else { format!("{ratio:.2}") };
            say(format_args!(
                "| {case} | {} | {} | {} | {} | {} | {} | {} | {ratio} |",
                name(precision),
                rate(Some(&kiln)),
                memory(Some(&kiln)),
                rate(eager.as_ref()),
                memory(eager.as_ref()),
                rate(compiled.as_ref()),
                memory(compiled.as_ref()),
            ));
        }
    }
    match &arguments.data {
        Some(data) => loading(choice, data),
        None => Ok(()),
    }
}

fn last_line(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.replace('|', " ").chars().take(60).collect()
}

/// This program, to measure one case in a process of its own.
fn kiln(choice: DeviceChoice, precision: Precision) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", "step-once", "--precision", name(precision)]);
    command.args(["--device", &choice.to_string()]);
    Ok(command)
}

fn torch(
    arguments: &DeviceCheckArguments,
    device: &str,
    precision: Precision,
    compile: bool,
) -> Command {
    let mut command = Command::new(&arguments.python);
    command.args(["-c", PEER, "--channels-last", "--warm", "10"]);
    command.args(["--device", device, "--precision", name(precision)]);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    command.args(["--threads", &threads.to_string()]);
    if compile {
        command.arg("--compile");
    }
    command
}

/// PyTorch's name of the device, if it is installed and sees one of that kind.
fn peer_device(arguments: &DeviceCheckArguments, choice: DeviceChoice) -> Option<String> {
    let device = choice.for_pytorch()?;
    let test = format!("import torch, torchvision; torch.zeros(1, device={device:?})");
    let mut command = Command::new(&arguments.python);
    let output = command.args(["-c", &test]).output().ok()?;
    output.status.success().then_some(device)
}

/// An epoch of ResNet-18 at 128 px from files, and how much of it the step waited for pictures.
fn loading(choice: DeviceChoice, data: &Path) -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("kiln-loading-{}", std::process::id()));
    let mut layers = Layers::with_defaults()?;
    let experiment = r#"
        seed = 1
        stages = ["only"]
        [data]
        source = { type = "image_folder" }
        [model]
        type = "resnet18"
        [common]
        size = 128
        batch = { micro = 64 }
        run_for = { epochs = 3 }
        pipeline = [{ type = "random_resized_crop" }, { type = "random_horizontal_flip" }]
        optimizer = { type = "sgd" }
        schedule = { type = "constant", lr = 0.01 }
    "#;
    layers.push(Layer::from_toml("device-check", experiment)?);
    layers.push(Layer::data_folder(data)?);
    let settings = RunSettings::new(choice.open()?, crate::commands::train::workers(None));
    let destination = Destination::Exactly(folder.clone());
    let outcome = begin("device-check", &layers, &destination, &settings, &mut Silent);
    let records = outcome.map_err(anyhow::Error::from).and_then(|_| {
        let (run, _) = RunDirectory::open(&folder)?;
        Ok(run.records()?)
    });
    // The figures are all that is wanted of it.
    let _ = std::fs::remove_dir_all(&folder);
    say(
        "\n| epoch from files: resnet18@128 x 64 | images/s | waited for pictures, of epoch and validation |",
    );
    say("|---|---|---|");
    for EpochRecord { epoch, images_per_second, data_seconds, seconds, .. } in records? {
        let waited = 100.0 * data_seconds / seconds;
        say(format_args!("| {epoch} | {images_per_second:.0} | {waited:.0} % |"));
    }
    Ok(())
}

//! `kiln bench`: the measurements behind `docs/results.md`.

mod all_reduce;
mod bare_step;
mod checkpoints;
mod frozen;
mod growth;
mod loader;
mod peers;
mod runs;
mod step;
mod training_loop;

use crate::arguments::{BenchArguments, BenchCommand};
use crate::output::say;
pub(crate) use bare_step::BareStep;
use std::process::ExitCode;
pub(crate) use step::{Case, Measured, Mode, check_names, measure_apart};

pub(crate) fn bench(arguments: &BenchArguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        BenchCommand::Loader { data } => loader::loader(data)?,
        BenchCommand::Memory { data } => {
            let listing = loader::training_pictures(data)?;
            let each = listing.heap_bytes() as f64 / listing.len() as f64;
            say(format!("{} pictures, {each:.1} bytes each in the index", listing.len()));
        }
        BenchCommand::AllReduce => all_reduce::all_reduce()?,
        BenchCommand::Frozen => frozen::frozen()?,
        BenchCommand::Checkpoints => checkpoints::checkpoints()?,
        BenchCommand::Growth => growth::growth()?,
        BenchCommand::Loop { data } => training_loop::training_loop(data)?,
        BenchCommand::Step { peers, python, rounds, only } => {
            peers::compare(peers.then_some(python.as_path()), *rounds, only)?;
        }
        BenchCommand::StepOnce {
            network,
            size,
            batch,
            mode,
            kernels,
            precision,
            device,
            steps,
        } => {
            let case = step::case(network, *size, *batch)?;
            let setup = step::Setup {
                device: device.open()?,
                kernels: serde_json::from_value(serde_json::json!(kernels))?,
                precision: serde_json::from_value(serde_json::json!(precision))?,
            };
            say(serde_json::to_string(&step::measure(case, *mode, &setup, *steps)?)?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The middle of the measured rates.
fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
}
